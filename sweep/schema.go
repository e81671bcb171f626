package sweep

import (
	"encoding/json"
	"math"
)

// Schema is the JSON Schema (draft 2020-12) of sweep files, for editors and other tools, from the
// tables that Parse reads. It knows keys, types, words and bounds; rules between parameters and
// expressions are Parse's.
func Schema() []byte {
	defs := object{}
	values, axes, sampledAxes, formulas := object{}, object{}, object{}, object{}
	for _, p := range builtin {
		defs[p.Name] = p.schema()
		values[p.Name] = ref(p.Name)
		axes[p.Name] = p.axisSchema()
		sampledAxes[p.Name] = p.sampledAxisSchema()
		formulas[p.Name] = ref("expression")
	}
	for _, p := range builtin {
		if p.Kind == KindText {
			defs[p.Name] = object{"description": p.Doc, "anyOf": []any{
				object{"enum": p.Words},
				closed(entrySchema(p, values), "name"),
			}}
		}
	}
	defs["expression"] = object{"type": []string{"string", "number", "boolean"}, "minLength": 1,
		"description": "formula over the point's parameters (expr-lang), " +
			"with sqrt pow log exp min max abs ceil floor round"}
	defs["settings"] = closed(values)
	defs["axes"] = closed(axes)
	defs["sample"] = closed(object{
		"method": object{"enum": sampleMethods()},
		"num":    integerSchema(1, maxIndices),
		"seed":   integerSchema(0, math.MaxInt64),
		"axes":   with(closed(sampledAxes), "minProperties", 1),
	}, "method", "num", "axes")
	block := blockSchema(formulas)
	defs["block"] = with(closed(block), "minProperties", 1)

	root := blockSchema(formulas)
	root["name"] = object{
		"type":        []string{"string", "integer"},
		"minimum":     0,
		"pattern":     "^" + namePattern + "$",
		"description": "name of the sweep and of its result set's folder",
	}
	root["replicates"] = with(
		integerSchema(1, 1_000_000_000),
		"description",
		"seed = seed + 0..n-1 as the innermost axis",
	)
	root["record"] = recordSchema()
	root["plan_version"] = object{
		"const":       PlanVersion,
		"description": "plan version of the release that wrote the file; need not be given",
	}
	schema := closed(root, "name")
	schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	schema["title"] = "phasegrid sweep file"
	schema["$defs"] = defs
	out, err := json.MarshalIndent(schema, "", "  ")
	if err != nil {
		panic(err) // maps of strings and finite numbers always encode
	}
	return append(out, '\n')
}

// object is a JSON object.
type object = map[string]any

func ref(name string) object { return object{"$ref": "#/$defs/" + name} }

// closed is a mapping with these keys and no others.
func closed(properties object, required ...string) object {
	o := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		o["required"] = required
	}
	return o
}

func with(o object, key string, value any) object {
	o[key] = value
	return o
}

func integerSchema(low, high int64) object {
	return object{"type": "integer", "minimum": low, "maximum": high}
}

func blockSchema(formulas object) object {
	return object{
		"fixed": with(ref("settings"), "description", "parameters with one value each"),
		"grid":  with(ref("axes"), "description", "cartesian product of axes"),
		"zip":   with(ref("axes"), "description", "axes of equal length that advance together"),
		"points": object{
			"type":        "array",
			"minItems":    1,
			"items":       object{"allOf": []any{ref("settings"), object{"minProperties": 1}}},
			"description": "explicit rows",
		},
		"sample": with(ref("sample"), "description", "points sampled from ranges"),
		"union": object{
			"type":        "array",
			"minItems":    1,
			"items":       ref("block"),
			"description": "blocks, enumerated one after another",
		},
		"derive": with(closed(formulas), "description", "parameters computed from others"),
		"where":  with(ref("expression"), "description", "points that fail it are excluded"),
	}
}

func recordSchema() object {
	coefficients := object{"type": "boolean"}
	return object{"description": "steps at which trajectory rows are recorded", "anyOf": []any{
		object{"const": "none"},
		closed(object{"every": integerSchema(1, 1<<53), "coefficients": coefficients}, "every"),
		closed(object{"log": integerSchema(2, maxRecordLog), "coefficients": coefficients}, "log"),
		closed(
			object{
				"steps":        object{"type": "array", "minItems": 1, "items": integerSchema(0, 1<<53)},
				"coefficients": coefficients,
			},
			"steps",
		),
	}}
}

// schema is one value of the parameter.
func (p Parameter) schema() object {
	o := object{}
	switch p.Kind {
	case KindInt:
		o = p.bound(object{"type": "integer"})
	case KindFloat:
		o = p.bound(object{"type": "number"})
		if p.Auto {
			o = object{"anyOf": []any{o, object{"const": "auto"}}}
		}
	case KindBool:
		o = object{"type": "boolean"}
	case KindList:
		o = object{"type": "array", "minItems": 1, "items": p.bound(object{"type": "number"})}
	case KindPairs:
		pair := object{"type": "array", "minItems": 2, "maxItems": 2, "items": object{"type": "number"}}
		o = object{"type": "array", "minItems": 1, "items": pair}
	}
	o["description"] = p.Doc
	return o
}

// bound adds the parameter's interval.
func (p Parameter) bound(o object) object {
	for _, side := range []struct {
		at           float64
		open         bool
		name, strict string
	}{{p.Min, p.MinOpen, "minimum", "exclusiveMinimum"}, {p.Max, p.MaxOpen, "maximum", "exclusiveMaximum"}} {
		switch {
		case math.IsInf(side.at, 0):
		case p.Kind == KindInt && side.at >= 1<<63:
			o[side.name] = int64(math.MaxInt64)
		case side.open:
			o[side.strict] = side.at
		default:
			o[side.name] = side.at
		}
	}
	return o
}

// entrySchema are the keys of a word with parameters of its own.
func entrySchema(p Parameter, values object) object {
	o := object{}
	for name, value := range values {
		if name != p.Name {
			o[name] = value
		}
	}
	o["name"] = object{"enum": p.Words}
	return o
}

// entriesSchema is a list of entries of an axis.
func (p Parameter) entriesSchema() object {
	entry := object{"anyOf": []any{ref(p.Name), object{"const": defaultEntry}}}
	return object{"type": "array", "minItems": 1, "items": entry}
}

// axisSchema is an axis of the parameter.
func (p Parameter) axisSchema() object {
	list := p.entriesSchema()
	forms := []any{list, closed(object{"values": list}, "values")}
	if p.Kind == KindInt || p.Kind == KindFloat {
		number := object{"type": "number"}
		for _, name := range []string{"linspace", "logspace"} {
			end := number
			if name == "logspace" {
				end = object{"type": "number", "exclusiveMinimum": 0}
			}
			form := closed(object{"from": end, "to": end, "num": integerSchema(1, maxIndices)}, "from", "to", "num")
			forms = append(forms, closed(object{name: form}, name))
		}
		step := object{"type": "number", "not": object{"const": 0}}
		form := closed(object{"from": number, "to": number, "step": step}, "from", "to", "step")
		forms = append(forms, closed(object{"range": form}, "range"))
	}
	return object{"anyOf": forms}
}

// sampledAxisSchema is the parameter's axis in a sample.
func (p Parameter) sampledAxisSchema() object {
	list := p.entriesSchema()
	if p.Kind != KindInt && p.Kind != KindFloat {
		return list
	}
	end := p.bound(object{"type": "number"})
	return object{
		"anyOf": []any{list, closed(object{"from": end, "to": end, "log": object{"type": "boolean"}}, "from", "to")},
	}
}
