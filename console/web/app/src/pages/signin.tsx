// Sign-in: a user with a password, a pasted token, or a sample of a demo.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { CircleAlert, Info, Lock } from 'lucide-react';
import { useEffect, useState, type FormEvent } from 'react';
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components';
import { ask } from '../api';
import { demoQuery, type Person, type Sample } from '../demo';
import { enter } from '../enter';
import { Mark } from '../logo';
import { session } from '../session';
import { t } from '../texts';
import { Button, classes, TextField } from '../ui/controls';
import { useSubmit } from '../ui/dialog';
import { Loading } from '../ui/state';

export interface SignInSearch {
  tenant?: string;
  back?: string;
}

export function SignIn() {
  const { tenant, back } = useSearch({ strict: false }) as SignInSearch;
  const demo = useQuery(demoQuery);
  // Without a control store nobody can log in, and nothing is answered without a token.
  const login = useQuery({
    queryKey: ['login'],
    retry: false,
    staleTime: Infinity,
    queryFn: async () => {
      try {
        await ask('{ authenticated }', undefined, { token: '' });
        return true;
      } catch {
        return false;
      }
    },
  });
  const navigate = useNavigate();
  const client = useQueryClient();
  useEffect(() => {
    document.title = `${t.signIn.title} · ${t.brand}`;
  }, []);

  async function go(token: string) {
    await enter(token, client);
    await navigate({ to: inside(back), replace: true });
  }

  const samples = demo.data?.tokens ?? [];
  const people = demo.data?.people ?? [];
  // Who goes through the tabs stays there.
  const [left, setLeft] = useState(false);
  const ready = demo.data !== undefined && login.data !== undefined;
  // Whoever comes by the address of a tenant has a password there.
  const invited = tenant !== undefined && session.ending() === undefined;
  const first = login.data && (samples.length === 0 || invited) ? 'password' : samples.length > 0 ? 'samples' : 'token';
  return (
    <main className={classes('entrance', samples.length > 0 && 'wide')}>
      <div className="brand">
        <Mark size={28} />
        {t.brand}
      </div>
      <div className="card gate">
        <div className="inner">
          <h1>{t.signIn.title}</h1>
          {session.token() === undefined ? <Ended /> : <Still />}
          {!ready ? (
            <Loading />
          ) : (
            <Tabs className="tabs" defaultSelectedKey={first} onSelectionChange={(to) => to !== first && setLeft(true)}>
              <TabList className="tab-list" aria-label={t.signIn.title}>
                {samples.length > 0 && (
                  <Tab id="samples" className="tab">
                    {t.signIn.withSample}
                  </Tab>
                )}
                {login.data && (
                  <Tab id="password" className="tab">
                    {t.signIn.withPassword}
                  </Tab>
                )}
                <Tab id="token" className="tab">
                  {t.signIn.withToken}
                </Tab>
              </TabList>
              {samples.length > 0 && (
                <TabPanel id="samples" className="tab-panel">
                  {login.data && people.length > 0 && <People people={people} enter={go} />}
                  <Samples samples={samples} enter={go} />
                </TabPanel>
              )}
              {login.data && (
                <TabPanel id="password" className="tab-panel">
                  <Password key={tenant} tenant={tenant} enter={go} begins={!left && first === 'password'} />
                </TabPanel>
              )}
              <TabPanel id="token" className="tab-panel">
                <Pasted enter={go} only={!login.data && samples.length === 0} />
              </TabPanel>
            </Tabs>
          )}
        </div>
      </div>
    </main>
  );
}

function Ended() {
  const ended = session.ending();
  if (!ended) return null;
  return (
    <p className={classes('note', ended.how !== 'signedOut' && 'warn')} role="status">
      <Info size={16} aria-hidden />
      <span>{t.signIn.ended[ended.how]}</span>
    </p>
  );
}

// Still offers the way back to those who came without wanting to leave.
function Still() {
  const { back } = useSearch({ strict: false }) as SignInSearch;
  return (
    <p className="note" role="status">
      <Info size={16} aria-hidden />
      <span>
        {t.signIn.still}{' '}
        <Link to={inside(back)} className="link">
          {t.signIn.stay}
        </Link>
      </span>
    </p>
  );
}

// inside is an address of the console's own, whatever is asked for.
const inside = (back: string | undefined) => (back?.startsWith('/') && !back.startsWith('//') ? back : '/');

type Enter = (token: string) => Promise<void>;

function Wrong({ error }: { error?: string }) {
  return error ? (
    <p className="note bad" role="alert">
      <CircleAlert size={16} aria-hidden />
      <span>{error}</span>
    </p>
  ) : null;
}

// login is the token of who signs in.
async function login(username: string, password: string) {
  const answer = await ask<{ login: { token: string } }>('mutation Login($username: String!, $password: String!) { login(username: $username, password: $password) { token } }', { username, password }, { token: '' });
  return answer.login.token;
}

function Password({ tenant: given, enter, begins }: { tenant?: string; enter: Enter; begins: boolean }) {
  const [typed, setTenant] = useState('');
  const [username, setUsername] = useState('');
  const [password, setPassword] = useState('');
  const { pending, error, submit } = useSubmit();
  const tenant = given ?? typed.trim();
  const name = username.trim();
  const tenantWrong = given === undefined && tenant.includes('|') ? t.signIn.tenantBarred : undefined;
  const nameWrong = tenant !== '' && name.includes('|') && !name.startsWith(`${tenant}|`) ? t.signIn.usernameBarred(tenant) : undefined;
  function send(event: FormEvent) {
    event.preventDefault();
    if (tenantWrong || nameWrong) return;
    void submit(async () => {
      await enter(await login(tenant && !name.includes('|') ? `${tenant}|${name}` : name, password));
    });
  }
  return (
    <form onSubmit={send}>
      {given === undefined ? <TextField label={t.signIn.tenant} hint={t.signIn.tenantHint} wrong={tenantWrong} value={typed} onChange={setTenant} autoComplete="organization" name="tenant" autoFocus={begins} /> : <Invited to={given} />}
      <TextField label={t.signIn.username} hint={given === undefined && !tenant ? t.signIn.usernameHint : undefined} wrong={nameWrong} value={username} onChange={setUsername} autoComplete="username" name="username" isRequired autoFocus={begins && given !== undefined} />
      <TextField label={t.signIn.password} type="password" value={password} onChange={setPassword} autoComplete="current-password" name="password" isRequired />
      <Wrong error={error} />
      <Button type="submit" look="primary" isDisabled={pending}>
        {pending ? t.signIn.going : t.signIn.go}
      </Button>
    </form>
  );
}

// Invited says whose sign-in it is, which the address says, and leads to that of others.
function Invited({ to }: { to: string }) {
  const { back } = useSearch({ strict: false }) as SignInSearch;
  return (
    <p className="invited">
      <Lock size={16} aria-hidden />
      <span className="break">
        <span className="label">{t.signIn.tenant}</span> <strong>{to}</strong>
      </span>
      <Link to="/sign-in" search={{ back }} replace className="link" onClick={() => session.isOf(null)}>
        {t.signIn.another}
      </Link>
    </p>
  );
}

function Pasted({ enter, only }: { enter: Enter; only: boolean }) {
  const [token, setToken] = useState('');
  const { pending, error, submit } = useSubmit();
  function send(event: FormEvent) {
    event.preventDefault();
    void submit(() => enter(token.trim()));
  }
  return (
    <form onSubmit={send}>
      {only && <p className="muted small">{t.signIn.tokenOnly}</p>}
      <TextField label={t.signIn.token} type="password" hint={t.signIn.tokenHint} value={token} onChange={setToken} autoComplete="off" isRequired />
      <Wrong error={error} />
      <Button type="submit" look="primary" isDisabled={pending || !token.trim()}>
        {pending ? t.signIn.going : t.signIn.useToken}
      </Button>
    </form>
  );
}

function People({ people, enter }: { people: Person[]; enter: Enter }) {
  const { pending, error, submit } = useSubmit();
  return (
    <section aria-label={t.signIn.people}>
      <h2>{t.signIn.people}</h2>
      <p className="muted small">{t.signIn.peopleLead}</p>
      <Wrong error={error} />
      <ul className="samples">
        {people.map(({ name, tenant, username, password, does }) => (
          <li key={username}>
            <span className="break">
              {name} <span className="muted small">{does}</span>
            </span>
            <Button small look={tenant ? undefined : 'primary'} isDisabled={pending} aria-label={`${t.signIn.title}: ${name}`} onPress={() => void submit(async () => enter(await login(tenant ? `${tenant}|${username}` : username, password)))}>
              {t.signIn.go}
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Samples({ samples, enter }: { samples: Sample[]; enter: Enter }) {
  const { pending, error, submit } = useSubmit();
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const name = sample.name.replace(/ \([^)]*\)$/, '');
    groups.set(name, [...(groups.get(name) ?? []), sample]);
  }
  return (
    <section aria-label={t.signIn.tokens}>
      <h2>{t.signIn.tokens}</h2>
      <p className="muted small">{t.signIn.samplesLead}</p>
      <Wrong error={error} />
      <ul className="samples">
        {[...groups].map(([name, group]) => (
          <li key={name}>
            <span className="break">{name}</span>
            <span className="ways">
              {group.map((sample) => (
                <Button key={sample.name} small isDisabled={pending} aria-label={`${name}: ${t.signIn.ways[sample.strategy] ?? sample.strategy}`} onPress={() => void submit(() => enter(sample.token))}>
                  {t.signIn.ways[sample.strategy] ?? sample.strategy}
                </Button>
              ))}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
