// Where an address leads to nothing, or to what a token cannot fill: why, and where to go instead.
import { Link, useLocation, type LinkProps } from '@tanstack/react-router';
import { Compass, Lock } from 'lucide-react';
import { useMe } from '../me';
import { lacks, pageOf } from '../sitemap';
import { t } from '../texts';
import { Page } from '../ui/page';
import { Empty } from '../ui/state';

// Instead is where those go who see a page and may not do all that it is for.
export type Instead = (params: Record<string, string | undefined>, search: { tenant?: string }) => { may: string; name: string; to: string; params?: Record<string, string>; search?: { tenant?: string } };

export function NotFound() {
  return (
    <Page title={t.errors.notFound}>
      <div className="card">
        <Empty
          icon={Compass}
          title={t.errors.nothingHere}
          action={
            <Link to="/" className="button">
              {t.errors.home}
            </Link>
          }
        >
          {t.errors.notFoundWords}
        </Empty>
      </div>
    </Page>
  );
}

export function NotYours({ page, instead }: { page: string; instead?: ReturnType<Instead> }) {
  const me = useMe();
  const { href } = useLocation();
  const { may, name, ...link }: ReturnType<Instead> = instead ?? { may: lacks(me, page), name: me.only ? t.nav.dashboards : t.errors.home, to: me.only ? '/dashboards' : '/' };
  return (
    <Page title={pageOf(page)}>
      <div className="card">
        <Empty
          icon={Lock}
          title={t.closed.title}
          action={
            <>
              <Link {...(link as LinkProps)} className="button primary">
                {name}
              </Link>
              <Link to="/sign-in" search={{ back: href }} className="button">
                {t.me.another}
              </Link>
            </>
          }
        >
          {may}
        </Empty>
      </div>
    </Page>
  );
}
