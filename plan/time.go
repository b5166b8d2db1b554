package plan

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zone names are checked against the same table on every machine

	"usher/fault"
	"usher/query"
	"usher/slot"
	"usher/value"
)

// zoneName checks an IANA zone name. Offsets and POSIX strings are refused:
// the engines read their signs in opposite ways.
func zoneName(name string) (string, error) {
	if name == "" || name == "Local" || strings.ContainsAny(name, "+:<> ") && !strings.HasPrefix(name, "Etc/") {
		return "", fmt.Errorf("timezone %q is not an IANA name such as Europe/Madrid", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return "", fmt.Errorf("timezone %q is not an IANA name such as Europe/Madrid", name)
	}
	return zone.String(), nil
}

var units = map[string]Unit{
	"MILLISECOND": Millisecond, "SECOND": Second, "MINUTE": Minute, "HOUR": Hour, "DAY": Day, "WEEK": Week, "MONTH": Month, "QUARTER": Quarter, "YEAR": Year,
}

// enumName is an enum's value: a name, or text where it came by JSON.
func enumName(v query.Value) string {
	switch v := v.(type) {
	case query.Enum:
		return string(v)
	case query.Text:
		return string(v)
	}
	return ""
}

// unitOf reads a TimeUnit.
func unitOf(v query.Value) (Unit, error) {
	name := enumName(v)
	u, ok := units[name]
	if !ok {
		return "", fault.New(fault.BadUserInput, "a unit of time is one of MILLISECOND SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR")
	}
	return u, nil
}

// short tells a unit of elapsed time from one of the calendar.
func (u Unit) short() bool { return u == Millisecond || u == Second || u == Minute || u == Hour }

// allowed tells whether a column of the type has buckets of the unit.
func (u Unit) allowed(t value.Type) bool {
	short := u.short()
	switch t.Scalar { //nolint:exhaustive // no other type has buckets
	case value.Date:
		return !short
	case value.Timestamp, value.LocalTimestamp:
		return true
	case value.Time:
		return short
	}
	return false
}

// relative reads the ranges of time around the operation's instant, and the one
// around the latest row.
func (lb *levelBuilder) relative(at whereAt, e Expr, name string, operand query.Value) (Expr, error) {
	zoneText := at.zone
	if zoneText == "" {
		zoneText = lb.zone
	}
	unitValue, n := operand, 1
	if o, ok := operand.(query.Object); ok {
		args := arguments(o)
		var err error
		if zoneText, err = args.zone(zoneText); err != nil {
			return Expr{}, err
		}
		unitValue, _ = o.Get("unit")
		if name != "toDate" {
			count, given, err := args.integer("n")
			if err != nil {
				return Expr{}, err
			}
			if !given || count == 0 || count > 100_000 {
				return Expr{}, fault.New(fault.BadUserInput, "n must be a whole number from 1 to 100000")
			}
			n = count
		}
	}
	unit, err := unitOf(unitValue)
	if err != nil {
		return Expr{}, err
	}
	if !unit.allowed(e.typ) {
		return Expr{}, fault.New(fault.BadUserInput, "%s has no ranges of %s", typeOf(e.typ), strings.ToUpper(string(unit)))
	}
	zone, err := time.LoadLocation(zoneText)
	if err != nil {
		return Expr{}, fault.New(fault.Internal, "a checked zone cannot be loaded").Because(err)
	}
	if name == "lastAvailable" {
		return lb.lastAvailable(at, e, unit, n, zoneText)
	}
	which := fmt.Sprintf("%s %d %s in %s", name, n, unit, zoneText)
	var ends []Expr
	if name != "moreThanAgo" && name != "orMoreAgo" { // which have no beginning
		low, err := lb.atNow(e.typ, "from "+which, func(now time.Time) time.Time {
			from, _ := rangeOf(name, now.In(zone), unit, n)
			return from
		})
		if err != nil {
			return Expr{}, err
		}
		ends = append(ends, predicate(Gte, e, literal(low)))
	}
	high, err := lb.atNow(e.typ, "to "+which, func(now time.Time) time.Time {
		_, to := rangeOf(name, now.In(zone), unit, n)
		return to
	})
	if err != nil {
		return Expr{}, err
	}
	upper := Lt
	if name == "last" || name == "toDate" {
		upper = Lte // now belongs to what has been until now
	}
	return all(append(ends, predicate(upper, e, literal(high)))), nil
}

// atNow is a time that goes by the operation's instant, by a name that tells it from
// others.
func (b *builder) atNow(t value.Type, name string, of func(now time.Time) time.Time) (value.Value, error) {
	if b.later == nil {
		b.moment = true
		return boundary(t, of(b.now))
	}
	term, err := b.later.Then(name+" as "+t.Scalar.String(), func(text string, _ slot.Inputs) (string, error) {
		now, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return "", fault.Broken("%w", err)
		}
		v, err := boundary(t, of(exactInstant(now)))
		return v.Text(), err
	})
	return value.Later(t, term), err
}

// exactly is the operation's instant as it is written to rows, in a layout of a type.
func (b *builder) exactly(t value.Type, layout string) (value.Value, error) {
	if b.later == nil {
		return value.Parse(t, b.now.Format(layout))
	}
	term, err := b.later.Then("exactly as "+t.Scalar.String()+" "+layout, func(text string, _ slot.Inputs) (string, error) {
		now, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			return "", fault.Broken("%w", err)
		}
		v, err := value.Parse(t, now.Format(layout))
		return v.Text(), err
	})
	return value.Later(t, term), err
}

// Now is an operation's instant as the text of a slot.
func Now(at time.Time) string { return exactInstant(at).Format(time.RFC3339Nano) }

// exactInstant is as exact as databases keep times.
func exactInstant(at time.Time) time.Time { return at.UTC().Truncate(time.Microsecond) }

// rangeOf is the range from its first instant to the one after its last, or to its
// last for last and toDate. What has no beginning has the zero time.
//
// Now is the current second as a whole, for what is asked within it to be one question; so a row that was
// written just now is in what has been until now. Only ranges of milliseconds go by the microsecond.
func rangeOf(name string, exact time.Time, unit Unit, n int) (from, to time.Time) {
	now, end := exact, exact
	if unit != Millisecond {
		now = exact.Truncate(time.Second)
		end = now.Add(time.Second - time.Microsecond)
	}
	start := truncate(now, unit)
	away := func(n int) time.Time { return truncate(step(start, unit, n), unit) } // the n-th unit after the current one
	switch name {
	case "last":
		return step(now, unit, -n), end
	case "next":
		return now, step(now, unit, n)
	case "nextFull":
		return away(1), away(n + 1)
	case "previous":
		return away(-n), start
	case "ago":
		return away(-n), away(1 - n)
	case "moreThanAgo":
		return time.Time{}, away(-n)
	case "orMoreAgo":
		return time.Time{}, away(1 - n)
	}
	return start, end
}

// longestYears is how far back from a latest row lastAvailable goes: no engine has times
// of any age.
const longestYears = 4000

// lastAvailable reads the last n units up to the one in which the latest row of
// the column's dataset lies, of the rows that a condition here may look at.
func (lb *levelBuilder) lastAvailable(at whereAt, e Expr, unit Unit, n int, zone string) (Expr, error) {
	if e.op != Column || at.own {
		return Expr{}, fault.New(fault.BadUserInput, "lastAvailable compares columns of rows, not what is computed of them, and stands in no filter of a tenant's own role").
			WithHint("use last or previous, which go by the clock")
	}
	if unitLength[unit].Milliseconds()/1000*int64(n) > longestYears*365*24*3600 {
		return Expr{}, fault.New(fault.BadUserInput, "%d units of a %s are more than the %d years that lastAvailable goes back", n, unit, longestYears)
	}
	d := lb.uses[e.ref].dataset
	i, err := lb.add(d, -1, at.inside, nil)
	if err != nil {
		return Expr{}, err
	}
	lb.l.refs[i].under = i + 1
	col, read := d.Column(e.name), lb.ask
	if at.policy {
		read = lb.read
	}
	latest := Expr{op: Latest, typ: e.typ, ref: i, args: []Expr{read(i, col)}}
	if e.typ.Scalar != value.Timestamp {
		zone = ""
	}
	start := Expr{op: Bucket, typ: e.typ, args: []Expr{latest}, unit: unit, zone: zone}
	if n > 1 {
		start = Expr{op: Shifted, typ: e.typ, args: []Expr{start}, ref: 1 - n, unit: unit, zone: zone}
	}
	return predicate(Gte, e, start), nil
}

// step moves an instant by units; below a day by elapsed time, from a day on
// by the calendar of the instant's zone.
func step(at time.Time, unit Unit, n int) time.Time {
	switch unit {
	case Millisecond:
		return at.Add(time.Duration(n) * time.Millisecond)
	case Second:
		return at.Add(time.Duration(n) * time.Second)
	case Minute:
		return at.Add(time.Duration(n) * time.Minute)
	case Hour:
		return at.Add(time.Duration(n) * time.Hour)
	case Day:
		return addDays(at, n)
	case Week:
		return addDays(at, 7*n)
	case Month:
		return addMonths(at, n)
	case Quarter:
		return addMonths(at, 3*n)
	case Year:
		return addMonths(at, 12*n)
	}
	return at
}

func addDays(at time.Time, n int) time.Time {
	y, m, d := at.Date()
	return dateIn(at.Location(), y, m, d+n, clock(at))
}

// addMonths keeps to the last day of a shorter month, as both engines do.
func addMonths(at time.Time, n int) time.Time {
	y, m, d := at.Date()
	last := time.Date(y, m+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return dateIn(at.Location(), y, m+time.Month(n), min(d, last), clock(at))
}

// clock is the time of day.
func clock(at time.Time) time.Duration {
	h, m, s := at.Clock()
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second + time.Duration(at.Nanosecond())
}

// dateIn is time.Date, but for a time that the zone's clocks skip: that is the
// instant at which they do, where time.Date may go back to the day before.
func dateIn(zone *time.Location, y int, m time.Month, d int, clock time.Duration) time.Time {
	at, wall := time.Date(y, m, d, 0, 0, 0, int(clock), zone), time.Date(y, m, d, 0, 0, 0, int(clock), time.UTC)
	if _, offset := at.Zone(); at.Unix()+int64(offset) < wall.Unix() {
		_, skipped := at.ZoneBounds()
		return skipped
	}
	return at
}

// truncate is the start of the unit in which an instant lies.
func truncate(at time.Time, unit Unit) time.Time {
	y, m, d := at.Date()
	day := func(y int, m time.Month, d int) time.Time { return dateIn(at.Location(), y, m, d, 0) }
	switch unit {
	case Millisecond:
		return at.Truncate(time.Millisecond)
	case Second:
		return at.Truncate(time.Second)
	case Minute:
		return at.Add(-time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond()))
	case Hour:
		return at.Add(-time.Duration(at.Minute())*time.Minute - time.Duration(at.Second())*time.Second - time.Duration(at.Nanosecond()))
	case Day:
		return day(y, m, d)
	case Week:
		return day(y, m, d-(int(at.Weekday())+6)%7)
	case Month:
		return day(y, m, 1)
	case Quarter:
		return day(y, (m-1)/3*3+1, 1)
	case Year:
		return day(y, time.January, 1)
	}
	return at
}

// boundary is an instant as a literal of a column's type.
func boundary(t value.Type, at time.Time) (value.Value, error) {
	if at.Year() < 1 || at.Year() > 9999 {
		return value.Value{}, fault.New(fault.BadUserInput, "the range leaves the years 1 to 9999: %s", strconv.Itoa(at.Year()))
	}
	switch t.Scalar { //nolint:exhaustive // relative ranges exist for these types only
	case value.Date:
		return value.Parse(t, at.Format(time.DateOnly))
	case value.LocalTimestamp:
		return value.Parse(t, at.Format("2006-01-02T15:04:05.999999"))
	}
	return value.TimestampOf(at), nil
}

// Printable are the instants, from low until before high, whose unit begins in the
// years that can be printed, both as UTC and as the local time of a zone.
func Printable(unit Unit, zone string) (low, high time.Time, err error) {
	at, err := time.LoadLocation(zone)
	if err != nil {
		return low, high, err
	}
	first, end := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	low, high = truncate(first.In(at), unit), time.Date(10000, 1, 1, 0, 0, 0, 0, at)
	if low.Before(first) {
		low = truncate(step(low, unit, 1), unit)
	}
	if local := time.Date(1, 1, 1, 0, 0, 0, 0, at); low.Before(local) {
		low = local
	}
	if end.Before(high) {
		high = end
	}
	return low.UTC(), high.UTC(), nil
}
