package plan

import (
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"usher/catalog"
	"usher/fault"
	"usher/principal"
	"usher/query"
)

// CheckGrant says why a grant cannot be used with a catalog, before a token is
// made of it. It is as strict as Build, which refuses such a principal whatever
// it asks, and stricter where what is asked would decide: here nothing may be
// granted that could never have an effect. Ranges of time are judged at the instant
// now, and mean the instant of each question once they are in a token. The error
// is for whoever makes it.
func CheckGrant(p principal.Principal, cat *catalog.Catalog, now time.Time) error {
	return unusable(notYet(cat, checkGrant(p, cat, now), p.Subject == ""), p.Subject == "")
}

func checkGrant(p principal.Principal, cat *catalog.Catalog, now time.Time) error {
	if err := checkDatasets(p, cat); err != nil {
		return err
	}
	b, err := fit(cat, principal.Slotted{Principal: p}, now)
	if err != nil {
		return err
	}
	for _, check := range []func() error{b.checkMetadata, b.checkReach, b.checkStrategies, b.checkUses} {
		if err := check(); err != nil {
			return err
		}
	}
	return b.checkFilters(true)
}

// CheckDatasets refuses a grant of datasets that no role of it shows, like those
// that do not exist.
func CheckDatasets(p principal.Principal, cat *catalog.Catalog) error {
	return unusable(notYet(cat, checkDatasets(p, cat), false), false)
}

func checkDatasets(p principal.Principal, cat *catalog.Catalog) error {
	names := p.Grant.Datasets
	p.Grant.Datasets = nil
	view, err := cat.View(p)
	if err != nil {
		return grantFault("%v", err)
	}
	for _, name := range names {
		if view.Dataset(name) == nil && len(p.Roles) == 0 && len(cat.Roles) > 0 {
			return grantFault("without a role no dataset is seen, so not %q", name)
		}
		if view.Dataset(name) == nil {
			return grantFault("unknown dataset %q", name)
		}
	}
	return nil
}

// checkMetadata refuses what no template could send.
func (b *builder) checkMetadata() error {
	for _, name := range slices.Sorted(maps.Keys(b.p.Grant.Metadata)) {
		v := b.p.Grant.Metadata[name]
		switch {
		case name == "" || strings.ContainsAny(name, "{}") || !printable(name):
			return grantFault("metadata has a name that no template can say")
		case !plainText(v):
			return grantFault("the metadata %q holds a control character", name)
		}
	}
	return nil
}

// plainText tells whether all texts within a value can be sent.
func plainText(v query.Value) bool {
	switch v := v.(type) {
	case query.Text:
		return printable(string(v))
	case query.List:
		return !slices.ContainsFunc(v, func(item query.Value) bool { return !plainText(item) })
	case query.Object:
		return !slices.ContainsFunc(v, func(m query.Member) bool { return !printable(m.Name) || !plainText(m.Value) })
	}
	return true
}

func printable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// checkReach refuses a grant whose datasets cannot be reached: any of those it
// names, or all the tenant's if it names none.
func (b *builder) checkReach() error {
	for _, name := range b.p.Grant.Datasets {
		if err := b.reaches(b.view.Dataset(name).Dataset); err != nil {
			return grantFault("%s", fault.From(err).Message)
		}
	}
	if b.p.Grant.Datasets != nil {
		return nil
	}
	var failed error
	for _, name := range b.view.Names() {
		d := b.view.Dataset(name).Dataset
		if d.Common {
			continue
		}
		err := b.reaches(d)
		if err == nil {
			return nil
		}
		failed = err
	}
	if failed != nil {
		return grantFault("%s", fault.From(failed).Message)
	}
	return nil
}

// checkStrategies refuses a strategy for a dataset that does not lead to it.
func (b *builder) checkStrategies() error {
	for _, name := range slices.Sorted(maps.Keys(b.p.Grant.Strategies)) {
		if shown := b.view.Dataset(name); shown != nil {
			if err := b.reaches(shown.Dataset); err != nil {
				return grantFault("%s", fault.From(err).Message)
			}
		}
	}
	return nil
}

func (b *builder) reaches(d *catalog.Dataset) error {
	_, err := b.level().root(d)
	return err
}

// checkUses refuses an account that no dataset of the grant is read with.
func (b *builder) checkUses() error {
	for _, name := range slices.Sorted(maps.Keys(b.p.Grant.Accounts)) {
		if !slices.ContainsFunc(b.view.Names(), func(visible string) bool {
			d := b.view.Dataset(visible).Dataset
			source, binding := b.place(d)
			return source == name && binding != nil
		}) {
			return grantFault("nothing it reaches is read with the account of %q", name)
		}
	}
	return nil
}
