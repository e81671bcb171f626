-- Views of this result set. Run in its folder: duckdb -init views.sql
-- They can be queried while the sweep runs, even before its first rows: <table>/schema.parquet has the columns and no
-- rows.

CREATE OR REPLACE VIEW points AS SELECT * FROM read_parquet('points/*.parquet');
CREATE OR REPLACE VIEW trajectories AS SELECT * FROM read_parquet('trajectories/*.parquet');
CREATE OR REPLACE VIEW coefficients AS SELECT * FROM read_parquet('coefficients/*.parquet');
CREATE OR REPLACE VIEW shards AS SELECT * FROM read_parquet('shards/*.parquet');

-- phase_diagram: median, 10 % and 90 % quantile of each metric over the replicates of a cell that are ok.
CREATE OR REPLACE VIEW phase_diagram AS
SELECT "optimizer", "dimension", "steps", "covariance", "anisotropy", "init_scale", "learning_rate", 
    count(*) AS replicates,
    count(*) FILTER (WHERE status = 'ok') AS ok,
    count(*) FILTER (WHERE status = 'diverged') AS diverged,
    count(escape_step) AS escaped,
    count(steps_to_90) AS reached_90,
    median(loss) FILTER (WHERE status = 'ok') AS loss,
    quantile_cont(loss, 0.1) FILTER (WHERE status = 'ok') AS loss_q10,
    quantile_cont(loss, 0.9) FILTER (WHERE status = 'ok') AS loss_q90,
    median(signal_alignment) FILTER (WHERE status = 'ok') AS signal_alignment,
    quantile_cont(signal_alignment, 0.1) FILTER (WHERE status = 'ok') AS signal_alignment_q10,
    quantile_cont(signal_alignment, 0.9) FILTER (WHERE status = 'ok') AS signal_alignment_q90,
    median(spike_alignment) FILTER (WHERE status = 'ok') AS spike_alignment,
    quantile_cont(spike_alignment, 0.1) FILTER (WHERE status = 'ok') AS spike_alignment_q10,
    quantile_cont(spike_alignment, 0.9) FILTER (WHERE status = 'ok') AS spike_alignment_q90,
    median(bulk_alignment) FILTER (WHERE status = 'ok') AS bulk_alignment,
    quantile_cont(bulk_alignment, 0.1) FILTER (WHERE status = 'ok') AS bulk_alignment_q10,
    quantile_cont(bulk_alignment, 0.9) FILTER (WHERE status = 'ok') AS bulk_alignment_q90,
    median(signal_energy) FILTER (WHERE status = 'ok') AS signal_energy,
    quantile_cont(signal_energy, 0.1) FILTER (WHERE status = 'ok') AS signal_energy_q10,
    quantile_cont(signal_energy, 0.9) FILTER (WHERE status = 'ok') AS signal_energy_q90,
    median(weight_norm2) FILTER (WHERE status = 'ok') AS weight_norm2,
    quantile_cont(weight_norm2, 0.1) FILTER (WHERE status = 'ok') AS weight_norm2_q10,
    quantile_cont(weight_norm2, 0.9) FILTER (WHERE status = 'ok') AS weight_norm2_q90,
    median(top_eigenvector_overlap) FILTER (WHERE status = 'ok') AS top_eigenvector_overlap,
    quantile_cont(top_eigenvector_overlap, 0.1) FILTER (WHERE status = 'ok') AS top_eigenvector_overlap_q10,
    quantile_cont(top_eigenvector_overlap, 0.9) FILTER (WHERE status = 'ok') AS top_eigenvector_overlap_q90,
    median(stable_rank) FILTER (WHERE status = 'ok') AS stable_rank,
    quantile_cont(stable_rank, 0.1) FILTER (WHERE status = 'ok') AS stable_rank_q10,
    quantile_cont(stable_rank, 0.9) FILTER (WHERE status = 'ok') AS stable_rank_q90,
    median(escape_step) FILTER (WHERE status = 'ok') AS escape_step,
    quantile_cont(escape_step, 0.1) FILTER (WHERE status = 'ok') AS escape_step_q10,
    quantile_cont(escape_step, 0.9) FILTER (WHERE status = 'ok') AS escape_step_q90,
    median(steps_to_90) FILTER (WHERE status = 'ok') AS steps_to_90,
    quantile_cont(steps_to_90, 0.1) FILTER (WHERE status = 'ok') AS steps_to_90_q10,
    quantile_cont(steps_to_90, 0.9) FILTER (WHERE status = 'ok') AS steps_to_90_q90,
    median(steps_to_99) FILTER (WHERE status = 'ok') AS steps_to_99,
    quantile_cont(steps_to_99, 0.1) FILTER (WHERE status = 'ok') AS steps_to_99_q10,
    quantile_cont(steps_to_99, 0.9) FILTER (WHERE status = 'ok') AS steps_to_99_q90,
    median(peak_spike_alignment) FILTER (WHERE status = 'ok') AS peak_spike_alignment,
    quantile_cont(peak_spike_alignment, 0.1) FILTER (WHERE status = 'ok') AS peak_spike_alignment_q10,
    quantile_cont(peak_spike_alignment, 0.9) FILTER (WHERE status = 'ok') AS peak_spike_alignment_q90,
    median(peak_spike_step) FILTER (WHERE status = 'ok') AS peak_spike_step,
    quantile_cont(peak_spike_step, 0.1) FILTER (WHERE status = 'ok') AS peak_spike_step_q10,
    quantile_cont(peak_spike_step, 0.9) FILTER (WHERE status = 'ok') AS peak_spike_step_q90,
    median(diverged_step) FILTER (WHERE status = 'ok') AS diverged_step,
    quantile_cont(diverged_step, 0.1) FILTER (WHERE status = 'ok') AS diverged_step_q10,
    quantile_cont(diverged_step, 0.9) FILTER (WHERE status = 'ok') AS diverged_step_q90,
    median(steps_run) FILTER (WHERE status = 'ok') AS steps_run,
    quantile_cont(steps_run, 0.1) FILTER (WHERE status = 'ok') AS steps_run_q10,
    quantile_cont(steps_run, 0.9) FILTER (WHERE status = 'ok') AS steps_run_q90,
    median(tail_signal_alignment) FILTER (WHERE status = 'ok') AS tail_signal_alignment,
    quantile_cont(tail_signal_alignment, 0.1) FILTER (WHERE status = 'ok') AS tail_signal_alignment_q10,
    quantile_cont(tail_signal_alignment, 0.9) FILTER (WHERE status = 'ok') AS tail_signal_alignment_q90,
    median(tail_loss) FILTER (WHERE status = 'ok') AS tail_loss,
    quantile_cont(tail_loss, 0.1) FILTER (WHERE status = 'ok') AS tail_loss_q10,
    quantile_cont(tail_loss, 0.9) FILTER (WHERE status = 'ok') AS tail_loss_q90
FROM points
GROUP BY "optimizer", "dimension", "steps", "covariance", "anisotropy", "init_scale", "learning_rate";

-- best_learning_rate: the learning rate of each cell with the smallest median of steps_to_90 over replicates. Runs that
-- diverge or do not reach 90 % are censored: they count as later than all others. If more than half are censored at every
-- learning rate, learning_rate and steps_to_90 are null.
CREATE OR REPLACE VIEW best_learning_rate AS
WITH runs AS (
    SELECT *, CASE WHEN status = 'ok' THEN coalesce(steps_to_90, 'infinity'::DOUBLE) ELSE 'infinity'::DOUBLE END AS time_90
    FROM points WHERE status <> 'invalid'
), rates AS (
    SELECT "optimizer", "dimension", "covariance", "anisotropy", "init_scale",  learning_rate,
        quantile_disc(time_90, 0.5) AS time_90,
        count(*) AS runs,
        count(*) FILTER (WHERE isinf(time_90)) AS censored
    FROM runs
    GROUP BY "optimizer", "dimension", "covariance", "anisotropy", "init_scale", "learning_rate"
)
SELECT "optimizer", "dimension", "covariance", "anisotropy", "init_scale", 
    CASE WHEN isinf(min(time_90)) THEN NULL ELSE min_by(learning_rate, (time_90, learning_rate)) END AS learning_rate,
    CASE WHEN isinf(min(time_90)) THEN NULL ELSE min(time_90) END AS steps_to_90,
    CASE WHEN isinf(min(time_90)) THEN NULL
        ELSE min_by(learning_rate, (time_90, learning_rate)) IN (min(learning_rate), max(learning_rate)) AND count(*) > 1 END AS at_edge,
    count(*) AS learning_rates,
    sum(runs)::BIGINT AS runs,
    sum(censored)::BIGINT AS censored
FROM rates
GROUP BY "optimizer", "dimension", "covariance", "anisotropy", "init_scale";

-- crossover: the anisotropy above which the best steps_to_90 of gd exceeds that of a spectral optimizer, interpolated
-- between the two anisotropies around it, linearly in log time (and in log anisotropy if both are positive). It is null
-- if one of the times there is censored: the crossover then lies in (anisotropy_below, anisotropy_above].
CREATE OR REPLACE VIEW crossover AS
WITH best AS (
    SELECT "dimension", "covariance", "init_scale",  optimizer, anisotropy, min(coalesce(steps_to_90, 'infinity'::DOUBLE)) AS t
    FROM best_learning_rate
    GROUP BY "dimension", "covariance", "init_scale", "optimizer", "anisotropy"
), pairs AS (
    SELECT s."dimension", s."covariance", s."init_scale",  s.optimizer, s.anisotropy,
        CASE WHEN isinf(s.t) AND isinf(g.t) THEN NULL
            WHEN isinf(g.t) THEN 'infinity'::DOUBLE
            WHEN isinf(s.t) THEN '-infinity'::DOUBLE
            ELSE ln(greatest(g.t, 1) / greatest(s.t, 1)) END AS advantage
    FROM best AS s JOIN best AS g ON g.optimizer = 'gd' AND s.optimizer IN ('specgd', 'nucspec', 'muon', 'power', 'dynmuon', 'shampoo')
        AND s.anisotropy = g.anisotropy
        AND s."dimension" IS NOT DISTINCT FROM g."dimension"
        AND s."covariance" IS NOT DISTINCT FROM g."covariance"
        AND s."init_scale" IS NOT DISTINCT FROM g."init_scale"
), neighbours AS (
    SELECT *, lag(anisotropy) OVER cell AS anisotropy_below, lag(advantage) OVER cell AS advantage_below
    FROM pairs
    WHERE advantage IS NOT NULL
    WINDOW cell AS (PARTITION BY "dimension", "covariance", "init_scale",  optimizer ORDER BY anisotropy)
)
SELECT "dimension", "covariance", "init_scale",  optimizer,
    CASE WHEN isinf(advantage) OR isinf(advantage_below) THEN NULL
        WHEN anisotropy_below > 0 THEN anisotropy_below * pow(anisotropy / anisotropy_below, -advantage_below / (advantage - advantage_below))
        ELSE anisotropy_below + (anisotropy - anisotropy_below) * -advantage_below / (advantage - advantage_below) END AS anisotropy,
    anisotropy_below,
    anisotropy AS anisotropy_above
FROM neighbours
WHERE advantage_below <= 0 AND advantage > 0;

-- escape: the first step with loss <= 0.375 (theta^T Q theta)^2, over replicates, and the spectral gap: the largest
-- eigenvalue of Q less the one it competes with, which is the bulk's for spikes and the second for a power law. Runs that
-- have not escaped are censored: they count as later than all others.
CREATE OR REPLACE VIEW escape AS
WITH runs AS (
    SELECT *, CAST(CASE WHEN covariance = 'spiked' THEN anisotropy WHEN covariance = 'isotropic' THEN 0 END AS DOUBLE) AS spectral_gap,
        coalesce(escape_step, 'infinity'::DOUBLE) AS time
    FROM points WHERE status IN ('ok', 'diverged')
)
SELECT "optimizer", "dimension", "steps", "covariance", "anisotropy", "init_scale", "learning_rate",  spectral_gap,
    count(*) AS runs,
    count(escape_step) AS escaped,
    nullif(quantile_disc(time, 0.5), 'infinity'::DOUBLE) AS escape_step,
    nullif(quantile_disc(time, 0.1), 'infinity'::DOUBLE) AS escape_step_q10,
    nullif(quantile_disc(time, 0.9), 'infinity'::DOUBLE) AS escape_step_q90,
    nullif(quantile_disc(time * learning_rate, 0.5), 'infinity'::DOUBLE) AS escape_time
FROM runs
GROUP BY "optimizer", "dimension", "steps", "covariance", "anisotropy", "init_scale", "learning_rate", spectral_gap;

-- failures: the points whose status is not ok, with the reason.
CREATE OR REPLACE VIEW failures AS
SELECT point, point_id, status, detail, diverged_step, unstable_step, resonant_step, "optimizer", "dimension", "steps", "covariance", "anisotropy", "init_scale", "learning_rate"
FROM points
WHERE status <> 'ok';
