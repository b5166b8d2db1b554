// The frame around all pages: where one is, who one is, whether one acts.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useNavigate, useRouter } from '@tanstack/react-router';
import { Check, ChevronsUpDown, KeyRound, LogOut, Menu as MenuIcon, MonitorX, UserRoundPen } from 'lucide-react';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { Button as AriaButton, Dialog as AriaDialog, Header, Menu, MenuItem, MenuSection, MenuTrigger, Modal, ModalOverlay, Popover, Separator } from 'react-aria-components';
import { ask } from './api';
import { drafts } from './drafts';
import { leave, leaveEverywhere, useOthersLeaving } from './leave';
import { Mark } from './logo';
import { pagesFor } from './sitemap';
import { invitedTo } from './search';
import { session } from './session';
import { t } from './texts';
import { theme, type Theme } from './theme';
import { Button, TextField } from './ui/controls';
import { Confirm, FormDialog } from './ui/dialog';
import { when } from './ui/page';
import { Failed, Loading } from './ui/state';
import { toast, Toasts } from './ui/toast';
import { MeContext } from './me';
import { meQuery, type Me } from './viewer';

export function Shell() {
  const token = useSyncExternalStore(session.subscribe, session.token);
  const location = useLocation();
  const router = useRouter();
  const client = useQueryClient();
  const me = useQuery({ ...meQuery, queryKey: ['me', token ?? ''] });
  const [open, setOpen] = useState(false);
  const who = me.data;

  // Another token sees other things. Without one, the route leads to the sign-in.
  useEffect(() => {
    if (token !== undefined) return;
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'demo' && query.queryKey[0] !== 'login' });
    void router.invalidate();
  }, [token, client, router]);
  useEffect(() => setOpen(false), [location.pathname]);
  useExpiry(me.data);
  useEffect(() => {
    if (!me.data || me.data.acting) return;
    session.isOf(me.data.tenant);
    session.ownedBy(me.data.owner);
  }, [me.data]);
  useOthersLeaving(who);

  // Who acts as somebody goes on afterwards where they were.
  useEffect(() => {
    if (who && !session.acts()) drafts.only(who);
  }, [who]);

  if (token === undefined) return null;
  if (me.error) {
    return (
      <main className="entrance">
        <div className="card gate">
          <Failed error={me.error} retry={() => void me.refetch()} />
          <div className="more">
            <Button look="quiet" onPress={() => session.end('signedOut')}>
              {t.me.another}
            </Button>
          </div>
        </div>
      </main>
    );
  }
  if (!who) return <Loading />;
  return (
    <MeContext value={who}>
      <a className="skip" href="#content" onClick={skip}>
        {t.skip}
      </a>
      <div className="shell">
        <Side me={who} />
        <div className="main">
          <header className="top">
            <Button look="quiet" icon aria-label={t.menu} onPress={() => setOpen(true)}>
              <MenuIcon size={20} aria-hidden />
            </Button>
            <Link to="/" className="brand">
              <Mark size={20} />
              {t.brand}
            </Link>
          </header>
          {who.acting && <Acting me={who} />}
          <Elsewhere me={who} wanted={invitedTo(location)} />
          <Outlet />
        </div>
      </div>
      <ModalOverlay isOpen={open} onOpenChange={setOpen} isDismissable className="drawer-veil">
        <Modal className="drawer">
          <AriaDialog aria-label={t.nav.label}>
            <Side me={who} />
          </AriaDialog>
        </Modal>
      </ModalOverlay>
      <Toasts />
    </MeContext>
  );
}

function skip(event: React.MouseEvent) {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

const day = 86_400_000; // milliseconds: a timer of more than 24 days would end at once

// useExpiry ends the session when its token does.
function useExpiry(me: Me | undefined) {
  const end = me?.expiresAt;
  useEffect(() => {
    if (!end) return;
    let timer: ReturnType<typeof setTimeout>;
    const wait = () => {
      const left = new Date(end).getTime() - Date.now();
      timer = setTimeout(left > day ? wait : () => session.end('expired'), Math.min(Math.max(left, 0), day));
    };
    wait();
    return () => clearTimeout(timer);
  }, [end]);
}

function Side({ me }: { me: Me }) {
  const groups = pagesFor(me);
  return (
    <header className="side">
      <Link to="/" className="brand">
        <Mark />
        {t.brand}
      </Link>
      <nav className="nav" aria-label={t.nav.label}>
        {groups.map(({ name, pages }) => (
          <div key={name ?? ''}>
            {name && <h2>{name}</h2>}
            <ul>
              {pages.map(({ to, label, icon: Icon }) => (
                <li key={to}>
                  <Link to={to} activeOptions={{ exact: to === '/' }} activeProps={{ 'aria-current': 'page' }}>
                    <Icon size={18} strokeWidth={1.75} aria-hidden />
                    {label}
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </nav>
      <Who me={me} />
    </header>
  );
}

function Who({ me }: { me: Me }) {
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<'password' | 'everywhere' | 'unsaved'>();
  const [chosen, setChosen] = useState<Theme>(theme.get());

  const signOut = () => leave(me);
  const signOutEverywhere = () => leaveEverywhere(me);

  return (
    <>
      <MenuTrigger>
        <AriaButton className="who">
          <span className="hidden-visually">{t.me.menu}</span>
          <span className="initial" aria-hidden>
            {[...(me.subject.split('|').pop() ?? '')][0]?.toUpperCase() ?? '?'}
          </span>
          <span className="names">
            <span>{me.subject}</span>
            <span className="under">{me.only ? t.me.dashboardsOnlyKind : (me.tenant ?? t.allTenants)}</span>
          </span>
          <ChevronsUpDown size={16} aria-hidden />
        </AriaButton>
        <Popover className="popover" placement="top start">
          <Menu className="menu" aria-label={t.me.menu} disabledKeys={['info']}>
            <MenuSection>
              <Header>
                {me.only ? t.me.dashboardsOnlyWords : `${t.me.kinds[me.tokenKind]}, ${me.expiresAt ? t.me.until(when(me.expiresAt) ?? '') : t.me.withoutEnd}`}
              </Header>
              {me.tokenKind === 'SESSION' && !me.acting ? (
                <MenuItem className="item" onAction={() => setDialog('password')}>
                  <UserRoundPen size={16} aria-hidden />
                  {t.me.changePassword}
                </MenuItem>
              ) : null}
              <MenuItem className="item" onAction={() => void navigate({ to: '/sign-in' })}>
                <KeyRound size={16} aria-hidden />
                {t.me.another}
              </MenuItem>
            </MenuSection>
            <Separator className="separator" />
            <MenuSection
              selectionMode="single"
              disallowEmptySelection
              selectedKeys={[chosen]}
              onSelectionChange={(keys) => {
                const next = [...keys][0] as Theme;
                theme.set(next);
                setChosen(next);
              }}
            >
              <Header>{t.me.theme}</Header>
              {(['auto', 'light', 'dark'] as const).map((name) => (
                <MenuItem key={name} id={name} className="item">
                  {t.me.themes[name]}
                  <Check size={14} className="check-mark" aria-hidden />
                </MenuItem>
              ))}
            </MenuSection>
            <Separator className="separator" />
            <MenuItem className="item" onAction={() => (drafts.any(me) ? setDialog('unsaved') : void signOut())}>
              <LogOut size={16} aria-hidden />
              {t.me.signOut}
            </MenuItem>
            {me.has('Mutation.logoutEverywhere') ? (
              <MenuItem className="item" onAction={() => setDialog('everywhere')}>
                <MonitorX size={16} aria-hidden />
                {t.me.signOutEverywhere}
              </MenuItem>
            ) : null}
          </Menu>
        </Popover>
      </MenuTrigger>
      {dialog === 'password' && <ChangePassword onClose={() => setDialog(undefined)} />}
      {dialog === 'unsaved' && <Confirm title={t.me.signOut} lead={t.drafts.signOut} action={t.me.signOut} submit={signOut} onClose={() => setDialog(undefined)} />}
      {dialog === 'everywhere' && <Confirm title={t.me.signOutEverywhere} lead={t.me.signOutEverywhereWords} action={t.me.signOutEverywhere} submit={signOutEverywhere} onClose={() => setDialog(undefined)} />}
    </>
  );
}

function ChangePassword({ onClose }: { onClose: () => void }) {
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  async function submit() {
    await ask('mutation Change($old: String!, $new: String!) { changePassword(old: $old, new: $new) }', { old, new: fresh });
    toast(t.me.passwordChanged);
    onClose();
  }
  return (
    <FormDialog title={t.me.changePassword} action={t.me.changePassword} submit={submit} onClose={onClose} disabled={!old || fresh.length < 12}>
      <TextField label={t.me.old} type="password" value={old} onChange={setOld} autoComplete="current-password" autoFocus />
      <TextField label={t.me.fresh} type="password" hint={t.me.freshHint} value={fresh} onChange={setFresh} autoComplete="new-password" />
    </FormDialog>
  );
}

// Whoever comes by the address of one tenant and is signed in elsewhere is told whose pages these are.
function Elsewhere({ me, wanted }: { me: Me; wanted?: string }) {
  const navigate = useNavigate();
  if (!wanted || wanted === me.tenant) return null;
  return (
    <div className="banner" role="status">
      <span>{t.me.elsewhere(wanted, me.subject, me.tenant ?? t.allTenants)}</span>
      <Button small onPress={() => void navigate({ to: '/sign-in', search: { tenant: wanted } })}>
        {t.me.elsewhereGo(wanted)}
      </Button>
    </div>
  );
}

function Acting({ me }: { me: Me }) {
  const navigate = useNavigate();
  async function stop() {
    await ask('mutation { logout }').catch(() => undefined);
    session.actNoMore();
    if (!session.token()) session.end('signedOut');
    else void navigate({ to: '/tenants' });
  }
  return (
    <div className="banner" role="status">
      <span>
        {t.me.acting(me.acting!.subject, me.tenant ?? t.allTenants)} {t.me.actingReason(me.acting!.reason)} {me.expiresAt && `${t.me.until(when(me.expiresAt) ?? '')}.`}
      </span>
      <Button small onPress={() => void stop()}>
        {t.me.actingStop}
      </Button>
    </div>
  );
}
