package example

import (
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// unit is value*factor + offset in the base unit of its kind.
type unit struct {
	Symbol string   `json:"symbol"`
	Name   string   `json:"name"`
	Kind   string   `json:"kind"`
	Other  []string `json:"other_names,omitempty"`
	factor float64
	offset float64
}

func u(kind, symbol, name string, factor float64, other ...string) unit {
	return unit{Symbol: symbol, Name: name, Kind: kind, Other: other, factor: factor}
}

// units are exact where the definition is: the international yard and pound of
// 1959, US customary volumes, SI and IEC prefixes.
var units = []unit{
	u("length", "m", "metre", 1, "meter"), u("length", "km", "kilometre", 1000, "kilometer"), u("length", "cm", "centimetre", 0.01, "centimeter"),
	u("length", "mm", "millimetre", 0.001, "millimeter"), u("length", "µm", "micrometre", 1e-6, "um", "micrometer", "micron"), u("length", "in", "inch", 0.0254, "inches", `"`),
	u("length", "ft", "foot", 0.3048, "feet", "'"), u("length", "yd", "yard", 0.9144), u("length", "mi", "mile", 1609.344), u("length", "nmi", "nautical mile", 1852),
	u("mass", "kg", "kilogram", 1), u("mass", "g", "gram", 0.001), u("mass", "mg", "milligram", 1e-6), u("mass", "t", "tonne", 1000, "metric ton"),
	u("mass", "lb", "pound", 0.45359237, "lbs"), u("mass", "oz", "ounce", 0.028349523125), u("mass", "st", "stone", 6.35029318),
	u("volume", "l", "litre", 1, "L", "liter"), u("volume", "ml", "millilitre", 0.001, "mL", "milliliter"), u("volume", "m3", "cubic metre", 1000, "m³", "cubic meter"),
	u("volume", "gal", "US gallon", 3.785411784, "gallon"), u("volume", "qt", "US quart", 0.946352946, "quart"), u("volume", "pt", "US pint", 0.473176473, "pint"),
	u("volume", "cup", "US cup", 0.2365882365), u("volume", "floz", "US fluid ounce", 0.0295735295625, "fl oz", "fluid ounce"), u("volume", "tbsp", "US tablespoon", 0.01478676478125, "tablespoon"),
	u("volume", "tsp", "US teaspoon", 0.00492892159375, "teaspoon"), u("volume", "impgal", "imperial gallon", 4.54609),
	u("area", "m2", "square metre", 1, "m²", "square meter"), u("area", "km2", "square kilometre", 1e6, "km²", "square kilometer"), u("area", "ha", "hectare", 1e4),
	u("area", "acre", "acre", 4046.8564224), u("area", "ft2", "square foot", 0.09290304, "sqft", "square feet"), u("area", "mi2", "square mile", 2589988.110336, "sqmi"),
	u("speed", "m/s", "metre per second", 1, "meter per second"), u("speed", "km/h", "kilometre per hour", 1/3.6, "kph", "kilometer per hour"),
	u("speed", "mph", "mile per hour", 0.44704, "miles per hour"), u("speed", "kn", "knot", 1852.0/3600),
	u("data", "B", "byte", 1), u("data", "bit", "bit", 0.125), u("data", "kB", "kilobyte", 1e3, "KB"), u("data", "MB", "megabyte", 1e6), u("data", "GB", "gigabyte", 1e9), u("data", "TB", "terabyte", 1e12),
	u("data", "KiB", "kibibyte", 1<<10), u("data", "MiB", "mebibyte", 1<<20), u("data", "GiB", "gibibyte", 1<<30), u("data", "TiB", "tebibyte", 1<<40),
	u("data", "kbit", "kilobit", 125), u("data", "Mbit", "megabit", 125e3, "Mb"), u("data", "Gbit", "gigabit", 125e6, "Gb"),
	u("time", "s", "second", 1, "sec"), u("time", "ms", "millisecond", 0.001), u("time", "min", "minute", 60), u("time", "h", "hour", 3600, "hr"), u("time", "d", "day", 86400), u("time", "wk", "week", 604800),
	u("energy", "J", "joule", 1), u("energy", "kJ", "kilojoule", 1000), u("energy", "kWh", "kilowatt hour", 3.6e6), u("energy", "cal", "calorie", 4.184), u("energy", "kcal", "kilocalorie", 4184), u("energy", "BTU", "British thermal unit", 1055.05585262),
	u("pressure", "Pa", "pascal", 1), u("pressure", "hPa", "hectopascal", 100), u("pressure", "bar", "bar", 1e5), u("pressure", "psi", "pound per square inch", 6894.757293168), u("pressure", "atm", "atmosphere", 101325), u("pressure", "mmHg", "millimetre of mercury", 133.322387415),
	u("temperature", "K", "kelvin", 1), {Symbol: "°C", Name: "degree Celsius", Kind: "temperature", Other: []string{"C", "celsius", "centigrade"}, factor: 1, offset: 273.15},
	{Symbol: "°F", Name: "degree Fahrenheit", Kind: "temperature", Other: []string{"F", "fahrenheit"}, factor: 5.0 / 9, offset: 459.67 * 5 / 9},
}

func newUnits() *server.MCPServer {
	s := newServer("units", "Convert and compare quantities: length, mass, volume, area, temperature, speed, data, time, energy, pressure; and percentages. No currencies.")
	number := func(name, what string) mcp.ToolOption {
		return mcp.WithNumber(name, mcp.Required(), mcp.Description(what))
	}
	name := func(key, what string) mcp.ToolOption {
		return mcp.WithString(key, mcp.Required(), mcp.MaxLength(40), mcp.Description(what+" by symbol or name, such as km, mile, °F, GiB or kWh"))
	}
	s.AddTool(tool("convert_units", "Convert units", "Convert a measurement from one unit to another: miles to kilometres, pounds to kilograms, Fahrenheit to Celsius, gigabytes to gibibytes, gallons to litres.", reads,
		number("value", "The measured number"), name("from", "Unit that it is in"), name("to", "Unit that is wanted")), answer(convert))
	s.AddTool(tool("list_units", "List units", "List the units that can be converted, all or those of one kind.", reads,
		mcp.WithString("kind", mcp.Enum(kinds()...), mcp.Description("Only units of this kind"))), answer(listUnits))
	s.AddTool(tool("describe_unit", "Describe a unit", "Say what a unit measures, its other names, and how much it is in the base unit of its kind.", reads, name("unit", "Unit")), answer(describeUnit))
	s.AddTool(tool("compare_quantities", "Compare quantities", "Find which of two measurements in different units is larger, and by what factor.", reads,
		number("first_value", "First number"), name("first_unit", "Its unit"), number("second_value", "Second number"), name("second_unit", "Its unit")), answer(compare))
	s.AddTool(tool("percentage_of", "Percentage of a number", "Calculate a percentage of a number, such as 19 % of 250, and the number with it added or taken off.", reads,
		number("percent", "Percentage"), number("value", "Number that it is of")), answer(percentageOf))
	s.AddTool(tool("percentage_change", "Percentage change", "Calculate by how many percent a number grew or shrank between an old and a new value.", reads,
		number("old", "Value before; not 0"), number("new", "Value after")), answer(percentageChange))
	return s
}

func kinds() []string {
	set := map[string]bool{}
	for _, u := range units {
		set[u.Kind] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// lookUp finds a unit by symbol as written, else by any name in any case, with
// or without a plural s.
func lookUp(name string) (unit, error) {
	name = strings.TrimSpace(name)
	lower := strings.ToLower(name)
	singular := strings.TrimSuffix(lower, "s")
	for _, fits := range []func(string) bool{
		func(n string) bool { return n == name },
		func(n string) bool { return strings.EqualFold(n, lower) },
		func(n string) bool { return len(singular) > 2 && strings.EqualFold(n, singular) },
	} {
		for _, u := range units {
			if fits(u.Symbol) || fits(u.Name) || slices.ContainsFunc(u.Other, fits) {
				return u, nil
			}
		}
	}
	return unit{}, notFound("unknown unit %q: list_units shows those that are known", name)
}

// pair finds two units of one kind.
func pair(first, second string) (unit, unit, error) {
	a, err := lookUp(first)
	if err != nil {
		return unit{}, unit{}, err
	}
	b, err := lookUp(second)
	if err == nil && a.Kind != b.Kind {
		err = invalid("%s is a unit of %s, %s one of %s: they cannot be compared", a.Name, a.Kind, b.Name, b.Kind)
	}
	return a, b, err
}

// round drops what binary fractions add: 12 significant digits stay.
func round(x float64) float64 {
	if x, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 12, 64), 64); err == nil {
		return x
	}
	return x
}

func finite(x float64) error {
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return invalid("the result is too large to write down")
	}
	return nil
}

type quantity struct {
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Text  string  `json:"text"`
}

func convert(_ context.Context, a struct {
	Value    float64
	From, To string
}) (quantity, error) {
	from, to, err := pair(a.From, a.To)
	if err != nil {
		return quantity{}, err
	}
	value := round((a.Value*from.factor + from.offset - to.offset) / to.factor)
	text := plain(a.Value) + " " + from.Symbol + " = " + plain(value) + " " + to.Symbol
	return quantity{value, to.Symbol, text}, finite(value)
}

func plain(x float64) string { return strconv.FormatFloat(x, 'g', 12, 64) }

func listUnits(_ context.Context, a struct{ Kind string }) (map[string][]unit, error) {
	out := map[string][]unit{}
	for _, u := range units {
		if a.Kind == "" || a.Kind == u.Kind {
			out[u.Kind] = append(out[u.Kind], u)
		}
	}
	return out, nil
}

func describeUnit(_ context.Context, a struct{ Unit string }) (map[string]any, error) {
	found, err := lookUp(a.Unit)
	if err != nil {
		return nil, err
	}
	base := units[slices.IndexFunc(units, func(u unit) bool { return u.Kind == found.Kind && u.factor == 1 && u.offset == 0 })]
	return map[string]any{"unit": found, "in_base_unit": plain(round(found.factor+found.offset)) + " " + base.Symbol}, nil
}

func compare(_ context.Context, a struct {
	FirstValue  float64 `json:"first_value"`
	FirstUnit   string  `json:"first_unit"`
	SecondValue float64 `json:"second_value"`
	SecondUnit  string  `json:"second_unit"`
}) (map[string]any, error) {
	first, second, err := pair(a.FirstUnit, a.SecondUnit)
	if err != nil {
		return nil, err
	}
	x, y := round(a.FirstValue*first.factor+first.offset), round(a.SecondValue*second.factor+second.offset)
	out := map[string]any{"larger": "equal"}
	switch {
	case x > y:
		out["larger"] = "first"
	case y > x:
		out["larger"] = "second"
	}
	if low, high := min(x, y), max(x, y); low > 0 && finite(high/low) == nil {
		out["factor"] = round(high / low)
	}
	return out, nil
}

func percentageOf(_ context.Context, a struct{ Percent, Value float64 }) (map[string]float64, error) {
	part := round(a.Value * a.Percent / 100)
	return map[string]float64{"result": part, "added": round(a.Value + part), "taken_off": round(a.Value - part)}, finite(part)
}

func percentageChange(_ context.Context, a struct{ Old, New float64 }) (map[string]float64, error) {
	if a.Old == 0 {
		return nil, invalid("old is 0, from which no percentage of change can be told")
	}
	change := round((a.New - a.Old) / math.Abs(a.Old) * 100)
	return map[string]float64{"percent": change, "difference": round(a.New - a.Old)}, finite(change)
}
