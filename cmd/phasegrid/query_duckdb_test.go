//go:build duckdb

package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestQueryAnswersInEveryFormat(t *testing.T) {
	set := runSweep(t, askedSweep)
	want := len(collect(t, set.Points(t.Context())))
	count := "SELECT count(*) AS n, count(DISTINCT point) AS points FROM points"
	to := filepath.Join(t.TempDir(), "rows.parquet")
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{count}, fmt.Sprintf("n   points\n%d  %d\n", want, want)},
		{[]string{count + ";\n", "--format", "csv"}, fmt.Sprintf("n,points\n%d,%d\n", want, want)},
		{
			[]string{"SELECT point, detail FROM points ORDER BY point LIMIT 1", "--format", "json"},
			`{"point":0,"detail":null}` + "\n",
		},
		{[]string{"-- rows by x = y\n" + count, "--format", "csv"}, fmt.Sprintf("n,points\n%d,%d\n", want, want)},
		{[]string{"--rows\n--of the set\n" + count}, fmt.Sprintf("n   points\n%d  %d\n", want, want)},
		{[]string{count, "--format", "parquet", "--to", to}, ""},
		{[]string{"SELECT n FROM (SELECT 1 AS n WHERE false)", "--format", "csv"}, "n\n"},
	} {
		got := phasegrid(t, append([]string{"query", "--set", set.Dir()}, test.args...)...)
		if got.code != exitDone || got.stdout != test.want {
			t.Errorf("%v: exit code %d, %q; want %q\n%s", test.args, got.code, got.stdout, test.want, got.stderr)
		}
	}
	if info, err := os.Stat(to); err != nil || info.Size() == 0 {
		t.Errorf("%v", err)
	}
	got := phasegrid(t, "query", "--set", set.Dir(), count, "--format", "parquet", "--to", to)
	if got.code != exitUsage ||
		!strings.Contains(got.stderr, "exists already") {
		t.Errorf("a file was written over: %d %s", got.code, got.stderr)
	}
	for _, view := range []string{
		"phase_diagram", "best_learning_rate", "crossover", "escape", "failures", "columns", "trajectories", "shards",
	} {
		got := phasegrid(t, "query", "--set", set.Dir(), "--format", "csv", "FROM "+view)
		if rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll(); got.code != exitDone || err != nil ||
			len(rows) == 0 {
			t.Errorf("%s: exit code %d, %v\n%s", view, got.code, err, got.stderr)
		}
	}
}

// TestQueryPrintsWhatDuckDBPrints: decimals are numbers, and values that Go has no type for are
// DuckDB's own text and JSON.
func TestQueryPrintsWhatDuckDBPrints(t *testing.T) {
	set := runSweep(t, askedSweep)
	values := `SELECT 0.50 AS decimal, [1, 2, NULL] AS list, {'b': 1.5, 'a': 'x'} AS struct, MAP {'k': 1.5} AS map,
		INTERVAL 3 DAY AS interval, '\xAA'::BLOB AS blob, DATE '2026-01-02' AS date, TIME '03:04:05' AS time,
		170141183460469231731687303715884105727::HUGEINT AS huge, 'a"b,c' AS quoted, '' AS empty, NULL::INT[] AS null`
	for _, test := range []struct{ format, sql, want string }{
		{
			"json", values + " -- at the end",
			`{"decimal":0.50,"list":[1,2,null],"struct":{"b":1.5,"a":"x"},"map":{"k":1.5},"interval":"3 days",` +
				`"blob":"\\xAA","date":"2026-01-02","time":"03:04:05","huge":170141183460469231731687303715884105727,` +
				`"quoted":"a\"b,c","empty":"","null":null}` + "\n",
		},
		{
			"csv", values,
			"decimal,list,struct,map,interval,blob,date,time,huge,quoted,empty,null\n" +
				`0.50,"[1, 2, NULL]","{'b': 1.5, 'a': x}",{k=1.5},3 days,\xAA,2026-01-02,03:04:05,` +
				`170141183460469231731687303715884105727,"a""b,c","",` + "\n",
		},
		{"table", "SELECT 0.50 AS q, [0.5, NULL] AS l, NULL AS n", "q     l            n\n0.50  [0.5, NULL]  -\n"},
		// What JSON does not have is text.
		{"json", "SELECT 'nan'::DOUBLE AS x, ['inf'::DOUBLE] AS l", `{"x":"NaN","l":"[Infinity]"}` + "\n"},
		// The order of rows is that of the query.
		{
			"csv", "SELECT 1.5 * n AS x FROM range(4) AS r(n) ORDER BY n DESC", "x\n4.5\n3.0\n1.5\n0.0\n",
		},
		{"json", "WITH a AS (SELECT 1.5 AS x) FROM a", `{"x":1.5}` + "\n"},
		{"json", "SELECT '<&>' AS \"a<b\"", `{"a<b":"<&>"}` + "\n"},
		{"json", "VALUES (1.5)", `{"col0":1.5}` + "\n"},
	} {
		got := phasegrid(t, "query", "--set", set.Dir(), "--format", test.format, test.sql)
		if got.code != exitDone || got.stdout != test.want {
			t.Errorf("%s %s:\ngot  %swant %s%s", test.format, test.sql, got.stdout, test.want, got.stderr)
		}
	}
	summary := phasegrid(t, "query", "--set", set.Dir(), "--format", "json", "SUMMARIZE points")
	line, _, _ := strings.Cut(summary.stdout, "\n")
	if !strings.HasSuffix(line, `"null_percentage":0.00}`) {
		t.Errorf("got %s", line)
	}
	for _, sql := range []string{"SELECT 0.5 AS a, nothing FROM points", "EXPLAIN SELECT 0.5"} {
		got := phasegrid(t, "query", "--set", set.Dir(), sql)
		if wrong := strings.Contains(sql, "nothing"); wrong != (got.code == exitUsage) || wrong != strings.Contains(
			got.stderr, `Referenced column "nothing" not found`) {
			t.Errorf("%s: exit code %d\n%s", sql, got.code, got.stderr)
		}
	}
}

func TestQueryTakesTheNewestSetOrSeveral(t *testing.T) {
	one := runSweep(t, askedSweep)
	two := runSweep(t, strings.Replace(askedSweep, "name: asked", "name: other", 1))
	got := phasegrid(t, "query", "--out", filepath.Dir(one.Dir()), "--format", "csv", "SELECT count(*) FROM points")
	if got.code != exitDone {
		t.Errorf("newest: %s", got.stderr)
	}
	// A set's views.sql is never run.
	planted := []byte("CREATE VIEW planted AS SELECT 1;")
	if err := os.WriteFile(filepath.Join(two.Dir(), "views.sql"), planted, 0o644); err != nil {
		t.Fatal(err)
	}
	got = phasegrid(
		t,
		"query",
		"--set",
		one.Dir(),
		"--set",
		two.Dir(),
		"--format",
		"csv",
		"SELECT count(DISTINCT set) FROM points",
	)
	if got.code != exitDone || !strings.HasSuffix(got.stdout, "\n2\n") {
		t.Errorf("several: %q %s", got.stdout, got.stderr)
	}
	got = phasegrid(
		t,
		"query",
		"--set",
		one.Dir(),
		"--set",
		two.Dir(),
		"--format",
		"csv",
		fmt.Sprintf("SELECT count(*) > 0 FROM %q.phase_diagram", filepath.Base(two.Dir())),
	)
	if got.code != exitDone || !strings.HasSuffix(got.stdout, "\ntrue\n") {
		t.Errorf("a set's own views: %q %s", got.stdout, got.stderr)
	}
	if got := phasegrid(t, "query", "--set", two.Dir(), "FROM planted"); got.code != exitUsage {
		t.Errorf("a planted view was there: %d %s", got.code, got.stdout)
	}
}

// TestQueryRunsOneStatement: of several, the driver would return the rows of the last only.
func TestQueryRunsOneStatement(t *testing.T) {
	set := runSweep(t, askedSweep)
	for _, sql := range []string{"SELECT 1; SELECT 2", "FROM points; FROM shards;", "EXPLAIN SELECT 1; SELECT 2"} {
		got := phasegrid(t, "query", "--set", set.Dir(), sql)
		if got.code != exitUsage || !strings.Contains(got.stderr, "one statement at a time") {
			t.Errorf("%s: code %d, %s%s", sql, got.code, got.stdout, got.stderr)
		}
	}
	if got := phasegrid(t, "query", "--set", set.Dir(), "SELECT ';' AS a;"); got.code != exitDone {
		t.Errorf("a semicolon in a string: %s", got.stderr)
	}
}

// TestQueryOfAPatternsFolder: DuckDB would read the path as a pattern and find no rows.
func TestQueryOfAPatternsFolder(t *testing.T) {
	out := filepath.Join(t.TempDir(), "width [2]")
	got := phasegrid(t, "run", writeSweep(t, manyShards), "--out", out, "--state", t.TempDir())
	if got.code != exitDone {
		t.Fatal(got.stderr)
	}
	if got := phasegrid(t, "query", "--out", out, "FROM points"); got.code != exitUsage ||
		!strings.Contains(got.stderr, "move the result set") {
		t.Errorf("code %d, %s", got.code, got.stderr)
	}
}

func TestQueryReadsAndWritesNothingElse(t *testing.T) {
	set := runSweep(t, askedSweep)
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := os.WriteFile(secret, []byte("a\n1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	planted := filepath.Join(set.Dir(), "planted.parquet")
	for _, sql := range []string{
		fmt.Sprintf("SELECT * FROM read_csv('%s')", secret),
		fmt.Sprintf("FROM '%s'", secret),
		fmt.Sprintf("SELECT * FROM read_text('%s')", secret),
		fmt.Sprintf("SELECT * FROM glob('%s/*')", filepath.Dir(secret)),
		fmt.Sprintf("SELECT * FROM read_text('%s/../../*')", set.Dir()),
		fmt.Sprintf("COPY points TO '%s'", planted),
		fmt.Sprintf("SELECT 1; COPY points TO '%s'", planted),
		fmt.Sprintf("EXPLAIN ANALYZE COPY points TO '%s'", planted),
		fmt.Sprintf("explain\nanalyze COPY points TO '%s'", planted),
		fmt.Sprintf("/* */ EXPLAIN ANALYZE COPY points TO '%s'", planted),
		fmt.Sprintf("EXPLAIN EXPLAIN ANALYZE COPY points TO '%s'", planted),
		fmt.Sprintf("SELECT 1) TO '%s'; SELECT (1", planted),
		fmt.Sprintf("SELECT * FROM query('COPY points TO ''%s''')", planted),
		fmt.Sprintf("ATTACH '%s.db' AS x", planted),
		fmt.Sprintf("EXPORT DATABASE '%s'", set.Dir()),
		"SET enable_external_access = true", "INSTALL httpfs", "LOAD httpfs", "DROP VIEW points",
		"CREATE TABLE t AS SELECT 1",
		"PRAGMA database_list", "CALL enable_logging()", "",
	} {
		to := filepath.Join(t.TempDir(), "out.parquet")
		for _, format := range [][]string{nil, {"--format", "parquet", "--to", to}} {
			got := phasegrid(t, append([]string{"query", "--set", set.Dir(), sql}, format...)...)
			if got.code != exitUsage {
				t.Errorf("%s: exit code %d\n%s%s", sql, got.code, got.stdout, got.stderr)
			}
		}
	}
	if files, err := filepath.Glob(filepath.Join(set.Dir(), "planted*")); err != nil || len(files) != 0 {
		t.Errorf("planted: %v, %v", files, err)
	}
	for _, sql := range []string{
		"SUMMARIZE points", "DESCRIBE points", "EXPLAIN SELECT 1", "WITH a AS (FROM points) SELECT count(*) FROM a",
		"VALUES (1)",
	} {
		if got := phasegrid(t, "query", "--set", set.Dir(), sql); got.code != exitDone {
			t.Errorf("%s: exit code %d\n%s", sql, got.code, got.stderr)
		}
	}
}

func TestQueryLiveSeesCommittedRows(t *testing.T) {
	out := t.TempDir()
	address := startCoordinator(t, out)
	file := writeSweep(t, askedSweep)
	if got := phasegrid(t, "submit", file, "--coordinator", address); got.code != exitDone {
		t.Fatalf("submit: %s", got.stderr)
	}
	count := func() string {
		t.Helper()
		got := phasegrid(
			t,
			"query",
			"--coordinator",
			address,
			"--live",
			"asked",
			"--format",
			"csv",
			"SELECT count(*) FROM points",
		)
		if got.code != exitDone {
			t.Fatalf("exit code %d\n%s", got.code, got.stderr)
		}
		return got.stdout
	}
	if rows := count(); rows != "count_star()\n0\n" {
		t.Errorf("before the first shard: %q", rows)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan outcomeOf, 1)
	go func() { ended <- phasegridWith(ctx, nil, nil, "node", "--coordinator", address, "--slots", "1") }()
	if got := phasegrid(t, "watch", "asked", "--coordinator", address); got.code != exitDone {
		t.Errorf("watch: %d %s", got.code, got.stderr)
	}
	stop()
	<-ended
	if rows := count(); rows != "count_star()\n40\n" {
		t.Errorf("at the end: %q", rows)
	}
}

// queried runs a sweep and returns the CSV rows of a query, without the header.
func queried(t *testing.T, sweep, query string) [][]string {
	t.Helper()
	got := phasegrid(t, "query", "--set", runSweep(t, sweep).Dir(), "--format", "csv", query)
	rows, err := csv.NewReader(strings.NewReader(got.stdout)).ReadAll()
	if got.code != exitDone || err != nil {
		t.Fatalf("exit code %d, %v\n%s", got.code, err, got.stderr)
	}
	return rows[1:]
}

// One of six seeds passes 90 %, at step 4: the median is of all six.
func TestMediansCountRunsThatNeverArrive(t *testing.T) {
	rows := queried(t, `
name: survivors
fixed:
  {model: online, batch_size: 6, dimension: 5, covariance: spiked, anisotropy: 6, init: gaussian, init_scale: 0.1,
    optimizer: specgd, learning_rate: 0.4, steps: 4}
grid: {label_noise: [0]}
replicates: 6
record: none`, "SELECT replicates, reached_90, steps_to_90_censored, steps_to_90, steps_to_90_q90 FROM phase_diagram")
	if want := []string{"6", "1", "5", "", ""}; len(rows) != 1 || !slices.Equal(rows[0], want) {
		t.Errorf("got %q, want %q", rows, want)
	}
}

// Runs that cross 90 % before they diverge have not reached it in any view.
func TestDivergedRunsHaveNotArrived(t *testing.T) {
	const divergedReached = `
name: diverged-reached
fixed: {covariance: spiked, anisotropy: 1, dimension: 4, init_scale: 0.5, steps: 200}
grid:
  optimizer: [gd, momentum]
  learning_rate: {logspace: {from: 0.01, to: 1.2, num: 60}}
record: none`
	rows := queried(
		t,
		divergedReached,
		`SELECT (SELECT count(*) FROM points WHERE status = 'diverged' AND steps_to_90 > 0) > 0,
		(SELECT sum(reached_90) = (SELECT count(steps_to_90) FROM points WHERE status = 'ok') FROM phase_diagram),
		(SELECT count(*) FROM points WHERE status = 'ok' AND held_90_step <= 0.9 * steps_run)
			= (SELECT sum(runs - censored) FROM best_learning_rate),
		(SELECT sum(escaped) FROM phase_diagram) = (SELECT sum(escaped) FROM escape),
		(SELECT count(*) FROM phase_diagram WHERE diverged > 0 AND reached_90 + escaped > 0)`,
	)
	if want := []string{"true", "true", "true", "true", "0"}; len(rows) != 1 || !slices.Equal(rows[0], want) {
		t.Errorf("got %q, want %q", rows, want)
	}
}

// A run without randomness is one replicate, whatever the number of seeds.
func TestRunsWithoutRandomnessCountOnce(t *testing.T) {
	rows := queried(t, `
name: deterministic
fixed: {optimizer: gd, covariance: spiked, dimension: 10, init_scale: 0.01, learning_rate: 0.05}
grid: {anisotropy: [1, 2], steps: [40, 50]}
replicates: 3
record: none`, "SELECT count(*), max(replicates) FROM phase_diagram")
	if want := []string{"4", "1"}; !slices.Equal(rows[0], want) {
		t.Errorf("got %q, want %q", rows, want)
	}
}

// Large steps of specgd pass 90 % at step 2 and lose it: they are not the best, and there is a
// crossover.
func TestRankingsIgnoreTransientCrossings(t *testing.T) {
	const tuned = `
name: tuned
fixed: {dimension: 100, covariance: spiked, init_scale: 0.000137}
grid:
  optimizer: [gd, specgd]
  anisotropy: {logspace: {from: 1, to: 100, num: 5}}
  learning_rate: {logspace: {from: 0.002, to: 0.33, num: 25}}
derive: {steps: "ceil(30/learning_rate)"}
where: not (optimizer == 'gd' and learning_rate > 1/max(3, 1+anisotropy))
record: none`
	rows := queried(t, tuned, `SELECT
		(SELECT min(steps_to_90) FROM points WHERE optimizer = 'specgd'),
		(SELECT count(*) FROM best_learning_rate),
		(SELECT min(tail_signal_alignment) > 0.9 FROM best_learning_rate),
		(SELECT bool_and(held_90_step >= steps_to_90) FROM best_learning_rate),
		(SELECT count(*) FROM crossover WHERE anisotropy BETWEEN 2 AND 50)`)
	if want := []string{"2", "10", "true", "true", "1"}; len(rows) != 1 || !slices.Equal(rows[0], want) {
		t.Errorf("got %q, want %q", rows, want)
	}
}
