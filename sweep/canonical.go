package sweep

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/phasegrid/phasegrid/sweep/draw"
	"github.com/phasegrid/phasegrid/sweep/exact"
	"github.com/phasegrid/phasegrid/sweep/figure"
)

// canonicalSpec writes what decides the points of a sweep: JSON, sorted keys, shortest numbers,
// defaults not filled in, the plan version. The settings of fixed and of points rows are flat,
// however an entry's own parameters were written.
func (t table) canonicalSpec(s *section, planVersion int, replicates int64, record Record) []byte {
	m := t.canonicalSection(s)
	if len(t) > NumParameters {
		variables := map[string]string{}
		for _, p := range t[NumParameters:] {
			variables[p.Name] = p.Doc
		}
		m["variables"] = variables
	}
	if planVersion > 1 { // version 1 did not write it
		m["plan_version"] = planVersion
	}
	if replicates > 1 {
		m["replicates"] = replicates
	}
	if record := canonicalRecord(record); record != nil {
		m["record"] = record
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(m); err != nil {
		panic(err) // maps of strings, numbers and valid JSON always encode
	}
	return bytes.TrimSpace(out.Bytes())
}

func (t table) canonicalSection(s *section) map[string]any {
	m := map[string]any{}
	if len(s.fixed) > 0 {
		m["fixed"] = t.canonicalSettings(s.fixed)
	}
	if len(s.grid) > 0 {
		m["grid"] = t.canonicalAxes(s.grid)
	}
	if len(s.zip) > 0 {
		m["zip"] = t.canonicalAxes(s.zip)
	}
	if len(s.points) > 0 {
		rows := make([]any, len(s.points))
		for i, r := range s.points {
			rows[i] = t.canonicalSettings(r)
		}
		m["points"] = rows
	}
	if s.sample != nil {
		m["sample"] = t.canonicalSample(s.sample)
	}
	if len(s.union) > 0 {
		blocks := make([]any, len(s.union))
		for i, b := range s.union {
			blocks[i] = t.canonicalSection(b)
		}
		m["union"] = blocks
	}
	if len(s.derive) > 0 {
		formulas := map[string]string{}
		for _, d := range s.derive {
			formulas[t[d.id].Name] = d.source
		}
		m["derive"] = formulas
	}
	if s.where != nil {
		m["where"] = s.where.source
	}
	return m
}

func (t table) canonicalSettings(settings []setting) map[string]json.RawMessage {
	m := make(map[string]json.RawMessage, len(settings))
	for _, s := range settings {
		m[t[s.id].Name] = json.RawMessage(s.value.String())
	}
	return m
}

func (t table) canonicalAxes(axes []*axis) map[string]any {
	m := make(map[string]any, len(axes))
	for _, x := range axes {
		if x.form == listForm {
			m[t[x.id].Name] = t.canonicalRows(x.rows)
			continue
		}
		numbers := map[string]any{"from": json.RawMessage(x.from.Text()), "to": json.RawMessage(x.to.Text())}
		name := "range"
		switch x.form {
		case rangeForm:
			numbers["step"] = json.RawMessage(x.step.Text())
		case linForm:
			name, numbers["num"] = "linspace", x.num
		case logForm:
			name, numbers["num"] = "logspace", x.num
		}
		m[t[x.id].Name] = map[string]any{name: numbers}
	}
	return m
}

func (t table) canonicalRows(rows []row) []json.RawMessage {
	out := make([]json.RawMessage, len(rows))
	for i, r := range rows {
		out[i] = json.RawMessage(t.canonicalRow(r))
	}
	return out
}

// canonicalRow is an entry of an axis: its value, or a mapping where it has parameters of its own.
func (t table) canonicalRow(r row) string {
	if r[0].value.IsNull() {
		return strconv.Quote(defaultEntry)
	}
	if len(r) == 1 {
		return r[0].value.String()
	}
	m := t.canonicalSettings(r[1:])
	m["name"] = json.RawMessage(r[0].value.String())
	text, err := json.Marshal(m)
	if err != nil {
		panic(err) // values write valid JSON
	}
	return string(text)
}

func (t table) canonicalSample(s *sampled) map[string]any {
	axes := map[string]any{}
	for _, x := range s.axes {
		axes[t[x.id].Name] = x.written
	}
	m := map[string]any{"method": draw.Methods()[s.points.Method], "num": s.points.Num, "axes": axes}
	if s.points.Seeded {
		m["seed"] = s.points.Seed
	}
	return m
}

func canonicalRecord(r Record) map[string]any {
	m := map[string]any{}
	switch {
	case r.Every > 0:
		m["every"] = r.Every
	case r.Log > 0:
		m["log"] = r.Log
	case len(r.Steps) > 0:
		m["steps"] = r.Steps
	default:
		return nil
	}
	if r.Coefficients {
		m["coefficients"] = true
	}
	return m
}

func plainNumber(f float64) json.RawMessage { return json.RawMessage(exact.FormatFloat(f)) }

// File is a sweep file of a canonical spec under a name, with figures: Parse reads it as the same
// sweep. A canonical spec is never empty.
func File(name string, canonical []byte, figures []figure.Figure) []byte {
	var b bytes.Buffer
	head := fmt.Appendf(nil, `{"name":%q,`, name)
	if len(figures) > 0 {
		head = fmt.Appendf(head, `"figures":%s,`, figure.Encode(figures))
	}
	if err := json.Indent(&b, append(head, bytes.TrimPrefix(canonical, []byte("{"))...), "", "  "); err != nil {
		panic(err) // canonical specs are JSON
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// Canonical is the spec as JSON with sorted keys and shortest numbers. Equal sweeps have equal
// bytes: it does not depend on name, comments, key order and spelling. Read only.
func (s *Spec) Canonical() []byte { return s.canonical }
