package graph

import (
	"context"
	"fmt"

	"golang.org/x/sync/singleflight"

	"usher/catalog"
	"usher/fault"
	"usher/lru"
	"usher/principal"
	"usher/schema"
)

// scope is what principals of equal rights are served with. Scopes that show
// the same share an executor, but not the view: the rights behind it may
// filter different rows.
type scope struct {
	catalog  *catalog.Catalog
	view     *catalog.View
	executor *viewExecutor
}

type scopeKey struct{}

func withScope(ctx context.Context, s *scope) context.Context {
	return context.WithValue(ctx, scopeKey{}, s)
}

// WithView returns a context that carries a catalog and a view of it.
func WithView(ctx context.Context, cat *catalog.Catalog, v *catalog.View) context.Context {
	return withScope(ctx, &scope{catalog: cat, view: v})
}

// ViewFrom returns the catalog and view an operation was validated against. A
// context that is not of an operation is an error.
func ViewFrom(ctx context.Context) (*catalog.Catalog, *catalog.View, error) {
	s, ok := ctx.Value(scopeKey{}).(*scope)
	if !ok {
		return nil, nil, fault.Broken("a resolver was called outside of an operation: the context has no view")
	}
	return s.catalog, s.view, nil
}

// rights are what principals of one scope have in common.
type rights struct {
	audience schema.Audience
	view     *catalog.View
}

// views are all that belongs to the catalog: schemas, executors and the
// documents validated against them go with it.
type views struct {
	engine  *Engine
	catalog *catalog.Catalog
	builder *schema.Builder

	scopes    *lru.Cache[rights, *scope]        // by the rights of principals
	executors *lru.Cache[string, *viewExecutor] // by what a view shows
	building  singleflight.Group
}

func (e *Engine) newViews(cat *catalog.Catalog) (*views, error) {
	var parts []schema.Part
	if e.options.Administration {
		parts = append(parts, schema.Administration)
	}
	if e.options.OpenID != nil {
		parts = append(parts, schema.Relay)
	}
	builder, err := schema.NewBuilder(parts...)
	if err != nil {
		return nil, err
	}
	v := &views{
		engine:    e,
		catalog:   cat,
		builder:   builder,
		scopes:    lru.New[rights, *scope](e.options.Views),
		executors: lru.New[string, *viewExecutor](e.options.Views),
	}
	if _, err := builder.BuildAll(cat.Everything()); err != nil { // when that builds, every view does
		return nil, err
	}
	return v, nil
}

// scopeOf finds or makes the scope of whoever the context is of.
func (v *views) scopeOf(ctx context.Context) (*scope, error) {
	if v.engine.options.Administration && principal.IsAnonymous(ctx) {
		return v.scope(schema.Anonymous, principal.Principal{Grant: principal.Grant{Datasets: []string{}}})
	}
	who, err := principal.From(ctx)
	if err != nil {
		return nil, err
	}
	return v.scopeFor(who)
}

// scopeFor finds or makes the scope of a principal.
func (v *views) scopeFor(who principal.Principal) (*scope, error) {
	audience := schema.AudienceOf(who)
	if who.AllTenants && v.engine.options.OpenID != nil {
		audience |= schema.OfAll
	}
	if audience&schema.Reader == 0 {
		who.Grant.Datasets = []string{}
	}
	return v.scope(audience, who)
}

// scope finds or makes the scope of an audience with a principal's rights. The
// catalog keeps one view for all who have the same, whichever tenant they are
// of, so the view is what tells scopes apart.
func (v *views) scope(audience schema.Audience, who principal.Principal) (*scope, error) {
	view, err := v.catalog.View(who)
	if err != nil {
		if refusal := v.catalog.Unreached.Awaits(err.Error()); refusal != nil {
			return nil, refusal.Because(err)
		}
		return nil, fault.New(fault.Forbidden, "the token grants what does not exist here").
			WithHint("Issue a token with roles and datasets of the current configuration.").Because(err)
	}
	key := rights{audience, view}
	if s, ok := v.scopes.Get(key); ok {
		return s, nil
	}
	x, err := v.executor(view, audience)
	if err != nil {
		return nil, err
	}
	s := &scope{catalog: v.catalog, view: view, executor: x}
	v.scopes.Add(key, s, 1)
	return s, nil
}

func (v *views) executor(view *catalog.View, audience schema.Audience) (*viewExecutor, error) {
	key := fmt.Sprintf("%d %s", audience, view.Key)
	made, err, _ := v.building.Do(key, func() (any, error) {
		if x, ok := v.executors.Get(key); ok {
			return x, nil
		}
		s, err := v.builder.Build(view, audience)
		if err != nil {
			return nil, err
		}
		limits := v.engine.options.Limits
		if audience == schema.Anonymous {
			limits.RootFields = 1 // many logins are many requests
		}
		x := v.engine.newViewExecutor(s, limits)
		v.executors.Add(key, x, 1)
		return x, nil
	})
	if err != nil {
		return nil, err
	}
	return made.(*viewExecutor), nil
}
