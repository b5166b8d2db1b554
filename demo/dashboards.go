package demo

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
	"time"
)

//go:embed dashboards
var dashboardFiles embed.FS

const (
	dashboardFolder = "dashboards"
	chainZone       = "America/Chicago"
)

// days are those of the dashboards, by the chain's clocks: the period ends where
// the data does, and a month that has just begun is compared with as many days.
type days struct {
	YearAgo, HalfYearAgo, QuarterAgo, MonthStart, Until string // instants
	LastMonthStart, LastMonthUntil                      string
	Since, LastDay, LastDayOfMonth, SameDays            string // for people
}

func daysOf(d *Data) (days, error) {
	zone, err := time.LoadLocation(chainZone)
	if err != nil {
		return days{}, err
	}
	last := d.Reference.AddDate(0, 0, -1)
	month := time.Date(last.Year(), last.Month(), 1, 0, 0, 0, 0, zone)
	until := time.Date(last.Year(), last.Month(), last.Day()+1, 0, 0, 0, 0, zone)
	before := month.AddDate(0, -1, 0)
	// A month may be shorter than the days that this one has had.
	beforeUntil := before.AddDate(0, 0, last.Day())
	if beforeUntil.After(month) {
		beforeUntil = month
	}
	at := func(t time.Time) string { return t.Format(time.RFC3339) }
	return days{
		YearAgo: at(month.AddDate(0, -11, 0)), HalfYearAgo: at(month.AddDate(0, -5, 0)), QuarterAgo: at(month.AddDate(0, -2, 0)),
		MonthStart: at(month), Until: at(until), LastMonthStart: at(before), LastMonthUntil: at(beforeUntil),
		Since: month.AddDate(0, -11, 0).Format("2 Jan 2006"), LastDay: last.Format("2 Jan 2006"), LastDayOfMonth: ordinal(last.Day()),
		SameDays: fmt.Sprintf("1–%d %s", beforeUntil.AddDate(0, 0, -1).Day(), before.Format("Jan")),
	}, nil
}

func ordinal(n int) string {
	suffix := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		suffix = "st"
	case n%10 == 2:
		suffix = "nd"
	case n%10 == 3:
		suffix = "rd"
	}
	return fmt.Sprint(n, suffix)
}

// Dashboards are the chain's dashboards, shared with all its distributors: the
// texts of files beside the configuration, by their names. The days in them fit
// the data.
func Dashboards(d *Data) (map[string][]byte, error) {
	days, err := daysOf(d)
	if err != nil {
		return nil, err
	}
	t, err := template.ParseFS(dashboardFiles, "dashboards/*.yml")
	if err != nil {
		return nil, err
	}
	out := make(map[string][]byte)
	for _, file := range t.Templates() {
		var text bytes.Buffer
		if err := file.Execute(&text, days); err != nil {
			return nil, err
		}
		out[file.Name()] = text.Bytes()
	}
	return out, nil
}

// WriteDashboards writes them into d.Dir, where the configuration is.
func WriteDashboards(d *Data) error {
	files, err := Dashboards(d)
	if err != nil {
		return fmt.Errorf("cannot make the demo's dashboards: %w", err)
	}
	folder := filepath.Join(d.Dir, dashboardFolder)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for name, text := range files {
		if err := writeFile(filepath.Join(folder, name), text); err != nil {
			return fmt.Errorf("cannot write the demo's dashboards: %w", err)
		}
	}
	return nil
}
