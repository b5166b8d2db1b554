package main

import (
	"bytes"
	"fmt"
	"slices"
)

// The chart's measures, in pixels.
const (
	chartWidth = 760
	labelWidth = 150
	barHeight  = 14
	barGap     = 3
	groupGap   = 14
	chartTop   = 46
	most       = 2.0 // the ratio at the right edge
)

var chartColors = []string{"#9aa0a6", "#2563eb", "#7c9cf5", "#0d9488", "#d97706", "#4b5563"}

// chart draws each server's throughput as a ratio to the baseline's.
func (r *results) chart() []byte {
	var b bytes.Buffer
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	rows := slices.DeleteFunc(slices.Clone(r.rows), func(one *row) bool { return one.clients != r.plan.clients[0] })
	others := compared(rows)
	height := chartTop + 20
	for _, one := range rows {
		height += (len(one.servers)-1)*(barHeight+barGap) + groupGap
	}
	scale := float64(chartWidth-labelWidth-60) / most
	put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="Throughput as a ratio to the baseline">`, chartWidth, height)
	put(`<rect width="%d" height="%d" fill="#fff"/>`, chartWidth, height)
	x := labelWidth
	for i, v := range others {
		put(`<rect x="%d" y="12" width="12" height="12" fill="%s"/><text x="%d" y="22" fill="#333">%s</text>`, x, chartColors[i%len(chartColors)], x+17, v)
		x += 40 + 8*len(v)
	}
	put(`<text x="%d" y="22" fill="#b91c1c">┆ usher's target</text>`, x)
	y := chartTop
	for _, one := range rows {
		put(`<text x="%d" y="%d" fill="#111" text-anchor="end" font-weight="600">%s</text>`, labelWidth-10, y+barHeight-2, one.workload.name)
		for _, v := range one.servers[1:] {
			if one.failed[v.name] != nil {
				put(`<text x="%d" y="%d" fill="#b91c1c">failed</text>`, labelWidth+5, y+barHeight-3)
				y += barHeight + barGap
				continue
			}
			ratio := one.ratio(v.name, one.servers[0].name, aspects[0])
			width := scale * min(ratio, most)
			put(`<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"/><text x="%.1f" y="%d" fill="#333">%.2f</text>`,
				labelWidth, y, width, barHeight, chartColors[slices.Index(others, v.name)%len(chartColors)], labelWidth+width+5, y+barHeight-3, ratio)
			if target := one.workload.targets.throughput; v.name == "usher" && target > 0 {
				at := labelWidth + scale*target
				put(`<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#b91c1c" stroke-width="2" stroke-dasharray="3 2"/>`, at, y-2, at, y+barHeight+2)
			}
			y += barHeight + barGap
		}
		y += groupGap
	}
	one := labelWidth + scale
	put(`<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="#111"/><text x="%.1f" y="%d" fill="#111" text-anchor="middle">baseline</text>`, one, chartTop-6, one, height-18, one, height-5)
	put(`</svg>`)
	return b.Bytes()
}

// compared are the names of all servers that stand beside a baseline. Not every workload has the
// same ones: what writes is compared with a baseline of its own.
func compared(rows []*row) []string {
	var names []string
	for _, one := range rows {
		for _, v := range one.servers[1:] {
			if !slices.Contains(names, v.name) {
				names = append(names, v.name)
			}
		}
	}
	return names
}
