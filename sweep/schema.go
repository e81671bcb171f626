package sweep

import (
	"encoding/json"
	"math"

	"github.com/phasegrid/phasegrid/sweep/draw"
)

// Schema is the JSON Schema (draft 2020-12) of sweep files, for editors and other tools, from the
// tables that Parse reads. It knows keys, types, words and bounds; rules between parameters and
// expressions are Parse's.
func Schema() []byte {
	defs := object{"variable": variableSchema()}
	for _, p := range builtin {
		if p.Kind != KindText {
			defs[p.Name] = p.schema()
		}
	}
	defs["expression"] = object{"type": []string{"string", "number", "boolean"}, "minLength": 1,
		"description": "formula over the point's parameters (expr-lang), " +
			"with sqrt pow log exp min max abs ceil floor round"}
	parametersOnly.define(defs)
	ownNames.define(defs)

	root := object{}
	root["name"] = object{
		"type":        []string{"string", "integer"},
		"minimum":     0,
		"pattern":     "^" + namePattern + "$",
		"description": "name of the sweep and of its result set's folder",
	}
	root["variables"] = object{
		"type":                 "object",
		"maxProperties":        maxVariables,
		"propertyNames":        object{"pattern": "^" + variablePattern + "$"},
		"additionalProperties": object{"type": "string", "minLength": 1, "maxLength": maxMeaning},
		"description":          "names of the sweep's own, with what they mean; they become columns",
	}
	root["replicates"] = with(
		integerSchema(1, 1_000_000_000),
		"description",
		"seed = seed + 0..n-1 as the innermost axis",
	)
	root["record"] = recordSchema()
	root["figures"] = figuresSchema()
	root["plan_version"] = object{
		"const":       PlanVersion,
		"description": "plan version of the release that wrote the file; need not be given",
	}
	for key := range parametersOnly.block() {
		root[key] = true // below
	}
	schema := closed(root, "name")
	schema["if"] = object{"required": []string{"variables"}}
	schema["then"] = object{"properties": ownNames.block()}
	schema["else"] = object{"properties": parametersOnly.block()}
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

// keySchema are the definitions of what blocks set, by the names that they may set.
type keySchema struct {
	prefix string // of the definitions
	own    bool   // names of the sweep's own, beside parameters
}

// Without variables in the file, editors can find misspelt parameters.
var (
	parametersOnly = keySchema{}
	ownNames       = keySchema{"own_", true}
)

func (k keySchema) ref(name string) object { return ref(k.prefix + name) }

// keys is a mapping with the given keys and, perhaps, those of the sweep's own.
func (k keySchema) keys(properties, own object) object {
	o := closed(properties)
	if k.own {
		o["additionalProperties"] = own
	}
	return o
}

// value is a value of a parameter.
func (k keySchema) value(p Parameter) object {
	if p.Kind == KindText {
		return k.ref(p.Name)
	}
	return ref(p.Name)
}

// define adds the definitions.
func (k keySchema) define(defs object) {
	values, axes, sampledAxes, formulas := object{}, object{}, object{}, object{}
	for _, p := range builtin {
		values[p.Name] = k.value(p)
		list := entriesSchema(object{"anyOf": []any{k.value(p), object{"const": defaultEntry}}})
		axes[p.Name] = axisSchema(list, p.Kind == KindInt || p.Kind == KindFloat)
		sampledAxes[p.Name] = p.sampledAxisSchema(list)
		formulas[p.Name] = ref("expression")
	}
	for _, p := range builtin {
		if p.Kind == KindText {
			defs[k.prefix+p.Name] = object{"description": p.Doc, "anyOf": []any{
				object{"enum": p.Words},
				k.entry(values, p.Name, object{"enum": p.Words}),
			}}
		}
	}
	number := Parameter{Kind: KindFloat, Min: math.Inf(-1), Max: math.Inf(1)}
	own := object{"anyOf": []any{ref("variable"), k.entry(values, "", object{"type": "string"})}}
	list := entriesSchema(own)
	defs[k.prefix+"settings"] = k.keys(values, own)
	defs[k.prefix+"axes"] = k.keys(axes, axisSchema(list, true))
	defs[k.prefix+"sample"] = closed(object{
		"method": object{"enum": draw.Methods()},
		"num":    integerSchema(1, maxIndices),
		"seed":   integerSchema(0, math.MaxInt64),
		"axes":   with(k.keys(sampledAxes, number.sampledAxisSchema(list)), "minProperties", 1),
	}, "method", "num", "axes")
	defs[k.prefix+"formulas"] = closed(formulas)
	defs[k.prefix+"block"] = with(closed(k.block()), "minProperties", 1)
}

// entry is a word with parameters of its own.
func (k keySchema) entry(values object, parameter string, words object) object {
	o := object{}
	for name, value := range values {
		if name != parameter {
			o[name] = value
		}
	}
	o["name"] = words
	return with(k.keys(o, ref("variable")), "required", []string{"name"})
}

// block are the keys of a block.
func (k keySchema) block() object {
	return object{
		"fixed": with(k.ref("settings"), "description", "parameters with one value each"),
		"grid":  with(k.ref("axes"), "description", "cartesian product of axes"),
		"zip":   with(k.ref("axes"), "description", "axes of equal length that advance together"),
		"points": object{
			"anyOf": []any{
				object{
					"type":     "array",
					"minItems": 1,
					"items":    object{"allOf": []any{k.ref("settings"), object{"minProperties": 1}}},
				},
				with(
					closed(object{"file": object{"type": "string", "pattern": rowsPattern}}),
					"required", []string{"file"},
				),
			},
			"description": "explicit rows, or a CSV or Parquet file of them",
		},
		"sample": with(k.ref("sample"), "description", "points sampled from ranges"),
		"union": object{
			"type":        "array",
			"minItems":    1,
			"items":       k.ref("block"),
			"description": "blocks, enumerated one after another",
		},
		"derive": with(k.ref("formulas"), "description", "parameters computed from others"),
		"where":  with(ref("expression"), "description", "points that fail it are excluded"),
	}
}

// variableSchema is a value of a variable.
func variableSchema() object {
	word := object{"type": "string", "minLength": 1, "maxLength": maxWord, "not": object{"const": defaultEntry}}
	return object{"anyOf": []any{object{"type": "number"}, word}}
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

// entriesSchema is a list of entries of an axis.
func entriesSchema(entry object) object {
	return object{"type": "array", "minItems": 1, "items": entry}
}

// axisSchema is an axis, a list of entries or, of numbers, a form.
func axisSchema(list object, numbers bool) object {
	forms := []any{list, closed(object{"values": list}, "values")}
	if numbers {
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
