// Where people arrive: who they are, and where to go from here.
import { Link } from '@tanstack/react-router';
import { ArrowRight, Building2, Compass, LayoutDashboard, ScrollText, SquareTerminal, Table2, TicketCheck, UsersRound, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { useMe } from '../me';
import { shows } from '../sitemap';
import { t } from '../texts';
import { useDatasetNames } from '../admin/tenant/record';
import { Secret } from '../ui/dialog';
import { Page, When } from '../ui/page';
import { HealthCards } from './health';

export function Home() {
  const me = useMe();
  const datasets = useDatasetNames();
  const steps: { to: string; icon: LucideIcon; words: string[] }[] = [
    { to: '/catalog', icon: Table2, words: t.home.steps.catalog },
    { to: '/explore', icon: Compass, words: t.home.steps.explore },
    { to: '/dashboards', icon: LayoutDashboard, words: t.home.steps.dashboards },
    { to: '/query', icon: SquareTerminal, words: t.home.steps.query },
    { to: '/tenants', icon: Building2, words: me.allTenants ? t.home.steps.tenants : t.home.steps.ownTenant },
    { to: '/users', icon: UsersRound, words: t.home.steps.users },
    { to: '/tokens', icon: TicketCheck, words: t.home.steps.mint },
    { to: '/audit', icon: ScrollText, words: t.home.steps.audit },
  ];
  return (
    <Page title={t.home.title} lead={t.home.hello(me.subject)}>
      {datasets?.length === 0 && <Missing />}
      <div className="home">
        <section className="card" aria-label={t.home.next}>
          <header>
            <div>
              <h2>{t.home.next}</h2>
              <p>{t.home.nextWords}</p>
            </div>
          </header>
          <ul className="steps">
            {steps
              .filter(({ to }) => shows(me, to))
              .map(({ to, icon: Icon, words }) => (
                <li key={to}>
                  <Link to={to}>
                    <span className="mark">
                      <Icon size={18} strokeWidth={1.75} aria-hidden />
                    </span>
                    <span>
                      <span className="lead">{words[0]}</span>
                      <span className="under">{words[1]}</span>
                    </span>
                    <ArrowRight size={16} aria-hidden />
                  </Link>
                </li>
              ))}
          </ul>
        </section>
        <div className="stack">
        {me.has('AdminQuery.health') && <HealthCards />}
        <section className="card" aria-label={t.home.you}>
          <header>
            <div>
              <h2>{t.home.you}</h2>
              <p>{t.home.youWords}</p>
            </div>
          </header>
          <div className="body">
            <dl className="defs">
              <Row name={t.home.kind}>{t.me.kinds[me.tokenKind]}</Row>
              <Row name={t.home.tenant}>{me.tenant ?? t.allTenants}</Row>
              <Row name={t.home.roles}>
                <Badges of={me.roles} />
              </Row>
              <Row name={t.home.scopes}>
                <Badges of={me.scopes.map((scope) => t.home.scopeNames[scope] ?? scope)} />
              </Row>
              <Row name={t.home.until}>
                <When at={me.expiresAt} otherwise={t.me.withoutEnd} />
              </Row>
              <Row name={t.home.zone}>{me.timezone}</Row>
              <Row name={t.home.strategy}>{me.strategy ?? t.home.strategyDefault}</Row>
            </dl>
          </div>
        </section>
        </div>
      </div>
    </Page>
  );
}

// Missing says what comes first where nothing can be asked.
function Missing() {
  const me = useMe();
  const operates = me.has('AdminQuery.configuration');
  return (
    <section className="card missing" aria-label={t.home.missing}>
      <header>
        <div>
          <h2>{t.home.missing}</h2>
          <p>{operates ? t.home.missingWords : t.home.missingForReaders}</p>
        </div>
      </header>
      {operates && (
        <ol className="body">
          {t.home.way.map(([what, words, command]) => (
            <li key={what}>
              <span className="lead">{what}</span>
              <span className="under">{words}</span>
              {command && <Secret text={command} label={what!} />}
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

export function Badges({ of, none = t.none }: { of: string[]; none?: string }) {
  if (of.length === 0) return <span className="muted">{none}</span>;
  return (
    <span className="badges">
      {of.map((text) => (
        <span key={text} className="badge">
          {text}
        </span>
      ))}
    </span>
  );
}
