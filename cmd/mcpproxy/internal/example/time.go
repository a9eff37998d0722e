package example

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones on systems that have no database of their own

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// moment describes one point in time from every side.
type moment struct {
	Time      string `json:"time"` // RFC 3339
	Zone      string `json:"zone"`
	Offset    string `json:"utc_offset"`
	Weekday   string `json:"weekday"`
	ISOWeek   string `json:"iso_week"`
	DayOfYear int    `json:"day_of_year"`
	Unix      int64  `json:"unix"`
}

func describe(t time.Time) moment {
	year, week := t.ISOWeek()
	return moment{
		Time: t.Format(time.RFC3339), Zone: t.Location().String(), Offset: t.Format("-07:00"), Weekday: t.Weekday().String(),
		ISOWeek: fmt.Sprintf("%04d-W%02d", year, week), DayOfYear: t.YearDay(), Unix: t.Unix(),
	}
}

func newTime() *server.MCPServer {
	s := newServer("time", "Dates and times: the current time in any zone, conversion, differences and sums.")
	zone := func(name, more string, required ...mcp.PropertyOption) mcp.ToolOption {
		return mcp.WithString(name, append(required, mcp.Description("IANA time zone such as Europe/Berlin, America/New_York, Asia/Tokyo or UTC"+more))...)
	}
	when := func(name, what string, required ...mcp.PropertyOption) mcp.ToolOption {
		return mcp.WithString(name, append(required, mcp.Description(what+`, such as "2026-03-29T14:30:00Z", "2026-03-29 14:30", "29 March 2026", "15:04", "now", or Unix seconds`))...)
	}
	s.AddTool(tool("current_time", "Current time", "Get the current date and time in a time zone: clock time, weekday, ISO week, UTC offset.", measures,
		zone("zone", "; default UTC")), answer(currentTime))
	s.AddTool(tool("convert_time", "Convert time between zones", "Convert a date and time from one time zone to another, for example to find what a meeting at 15:00 in Berlin is in Tokyo.", measures,
		when("time", "The time to convert", mcp.Required()), zone("from_zone", "; used if the time names none; default UTC"), zone("to_zone", "", mcp.Required())), answer(convertTime))
	s.AddTool(tool("days_between", "Days between dates", "Count the days, weeks, working days (Monday to Friday) and the calendar distance between two dates.", measures,
		when("from", "First date", mcp.Required()), when("to", "Second date", mcp.Required())), answer(daysBetween))
	s.AddTool(tool("parse_date", "Parse a date", "Understand a date written in a common format and return it as RFC 3339 with weekday, ISO week, day of the year and Unix timestamp.", measures,
		when("text", "The date", mcp.Required()), zone("zone", "; used if the text names none; default UTC")), answer(parseDate))
	s.AddTool(tool("format_date", "Format a date", "Write a date in another format: ISO, RFC 1123, American, German, long English, or a pattern of strftime.", measures,
		when("date", "The date", mcp.Required()), zone("zone", "; default UTC"),
		mcp.WithString("format", mcp.Required(), mcp.MaxLength(200), mcp.Description("iso, rfc1123, us, german, long, or a strftime pattern such as %Y-%m-%d %H:%M"))), answer(formatDate))
	s.AddTool(tool("add_duration", "Add to a date", "Add years, months, days and a clock duration to a date, or subtract with negative numbers, for example to find a deadline 90 days from now.", measures,
		when("date", "The date to start from", mcp.Required()), zone("zone", "; default UTC"),
		span("years", 10_000), span("months", 120_000), span("days", 4_000_000),
		mcp.WithString("duration", mcp.Description("Clock time such as 36h, -90m or 1h30m"))), answer(addDuration))
	return s
}

func span(name string, limit int) mcp.ToolOption {
	return mcp.WithInteger(name, mcp.Min(-limit), mcp.Max(limit), mcp.Description("How many "+name+" to add; negative subtracts"))
}

func location(zone string) (*time.Location, error) {
	if zone == "" {
		return time.UTC, nil
	}
	loc, err := time.LoadLocation(zone)
	if err != nil || zone == "Local" {
		return nil, invalid("unknown time zone %q: use an IANA name such as Europe/Berlin", zone)
	}
	return loc, nil
}

var dateLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "2006/01/02",
	time.RFC1123Z, time.RFC1123, time.RFC850, time.RFC822Z, time.RFC822, time.ANSIC, time.UnixDate,
	"2 January 2006", "2 Jan 2006", "January 2, 2006", "Jan 2, 2006", "2 January 2006 15:04", "January 2, 2006 15:04", "02.01.2006", "02.01.2006 15:04",
}

// parse reads text as a time in zone, unless it names one itself.
func parse(text, zone string) (time.Time, error) {
	loc, err := location(zone)
	if err != nil {
		return time.Time{}, err
	}
	text = strings.TrimSpace(text)
	now := time.Now().In(loc)
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, loc)
	switch strings.ToLower(text) {
	case "now":
		return now, nil
	case "today":
		return midnight, nil
	case "tomorrow":
		return midnight.AddDate(0, 0, 1), nil
	case "yesterday":
		return midnight.AddDate(0, 0, -1), nil
	}
	for _, layout := range dateLayouts {
		if t, err := time.ParseInLocation(layout, text, loc); err == nil {
			return t, nil
		}
	}
	for _, layout := range []string{"15:04:05", "15:04", "3:04PM", "3:04 PM", "3PM"} {
		if t, err := time.Parse(layout, strings.ToUpper(text)); err == nil {
			return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, loc), nil
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > -1e11 && n < 1e12 {
		return time.Unix(n, 0).In(loc), nil
	}
	return time.Time{}, invalid("cannot read %.60q as a date or time: write it as 2026-03-29T14:30:00Z or 2026-03-29", text)
}

func currentTime(_ context.Context, a struct{ Zone string }) (moment, error) {
	t, err := parse("now", a.Zone)
	return describe(t), err
}

func convertTime(_ context.Context, a struct {
	Time string `json:"time"`
	From string `json:"from_zone"`
	To   string `json:"to_zone"`
}) (map[string]moment, error) {
	t, err := parse(a.Time, a.From)
	if err != nil {
		return nil, err
	}
	to, err := location(a.To)
	if err != nil {
		return nil, err
	}
	return map[string]moment{"from": describe(t), "to": describe(t.In(to))}, nil
}

type distance struct {
	Days        int    `json:"days"` // negative if to is before from
	Weeks       string `json:"weeks"`
	WorkingDays int    `json:"working_days"` // from the first day on, the last left out
	Calendar    string `json:"calendar"`
}

func daysBetween(_ context.Context, a struct{ From, To string }) (distance, error) {
	from, err := parse(a.From, "")
	if err != nil {
		return distance{}, err
	}
	to, err := parse(a.To, "")
	if err != nil {
		return distance{}, err
	}
	first, last := dayOf(from), dayOf(to)
	sign := 1
	if last.Before(first) {
		first, last, sign = last, first, -1
	}
	days := int((last.Unix() - first.Unix()) / (24 * 60 * 60))
	work := days / 7 * 5
	for d := first.AddDate(0, 0, days/7*7); d.Before(last); d = d.AddDate(0, 0, 1) {
		if d.Weekday() != time.Saturday && d.Weekday() != time.Sunday {
			work++
		}
	}
	months := (last.Year()-first.Year())*12 + int(last.Month()) - int(first.Month())
	if last.Day() < first.Day() {
		months--
	}
	rest := int((last.Unix() - time.Date(first.Year(), first.Month()+time.Month(months), first.Day(), 0, 0, 0, 0, time.UTC).Unix()) / (24 * 60 * 60))
	return distance{
		Days: sign * days, Weeks: fmt.Sprintf("%d weeks and %d days", days/7, days%7), WorkingDays: sign * work,
		Calendar: fmt.Sprintf("%d years, %d months and %d days", months/12, months%12, max(rest, 0)),
	}, nil
}

func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

func parseDate(_ context.Context, a struct{ Text, Zone string }) (moment, error) {
	t, err := parse(a.Text, a.Zone)
	return describe(t), err
}

func formatDate(_ context.Context, a struct{ Date, Zone, Format string }) (map[string]string, error) {
	t, err := parse(a.Date, a.Zone)
	if err != nil {
		return nil, err
	}
	if a.Zone != "" {
		loc, err := location(a.Zone)
		if err != nil {
			return nil, err
		}
		t = t.In(loc)
	}
	layouts := map[string]string{"iso": time.RFC3339, "rfc1123": time.RFC1123Z, "us": "01/02/2006", "german": "02.01.2006", "long": "Monday, January 2, 2006"}
	if layout, ok := layouts[strings.ToLower(a.Format)]; ok {
		return map[string]string{"text": t.Format(layout)}, nil
	}
	text, err := strftime(t, a.Format)
	return map[string]string{"text": text}, err
}

var verbs = map[byte]string{
	'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'e': "_2", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'p': "PM", 'A': "Monday", 'a': "Mon",
	'B': "January", 'b': "Jan", 'j': "002", 'Z': "MST", 'z': "-0700", 'F': "2006-01-02", 'T': "15:04:05", 'R': "15:04", 'D': "01/02/06",
}

func strftime(t time.Time, pattern string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' || i+1 == len(pattern) {
			out.WriteByte(pattern[i])
			continue
		}
		i++
		switch layout, ok := verbs[pattern[i]]; {
		case pattern[i] == '%':
			out.WriteByte('%')
		case ok:
			out.WriteString(t.Format(layout))
		default:
			return "", invalid("unknown pattern %%%c: use iso, rfc1123, us, german, long, or %%Y %%m %%d %%H %%M %%S and the like", rune(pattern[i]))
		}
	}
	return out.String(), nil
}

func addDuration(_ context.Context, a struct {
	Date, Zone, Duration string
	Years, Months, Days  int
}) (moment, error) {
	t, err := parse(a.Date, a.Zone)
	if err != nil {
		return moment{}, err
	}
	t = t.AddDate(a.Years, a.Months, a.Days)
	if a.Duration != "" {
		d, err := time.ParseDuration(a.Duration)
		if err != nil {
			return moment{}, invalid("cannot read %.60q as a duration: write 36h or 1h30m, and days in their own field", a.Duration)
		}
		t = t.Add(d)
	}
	return describe(t), nil
}
