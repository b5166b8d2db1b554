import { useEditorContext, useSchemaContext } from '@graphiql/react';
import { useEffect, useRef, useState, useSyncExternalStore } from 'react';
import { canKeepDigits } from './exact.js';
import { refused } from './refused.js';
import { token } from './token.js';

// Header is the bar above GraphiQL: who asks, and what there is to ask.
export function Header({ samples }) {
  const [value, setValue] = useState(token.get());
  return (
    <>
      <Bar samples={samples} value={value} setValue={setValue} />
      <Advice value={value} />
    </>
  );
}

// Advice says what to do where nothing can be asked yet: without a token, or
// with one that the server refuses.
function Advice({ value }) {
  const problem = useSyncExternalStore(refused.subscribe, refused.get);
  if (problem !== undefined) {
    return (
      <p className="usher-advice" role="alert">
        The server refused this token: {problem}. Paste another one above: this one may have ended, be revoked or incomplete,
        or come from an issuer that the server does not trust. The server&apos;s log has the reason.
      </p>
    );
  }
  if (value !== '') return null;
  return (
    <p className="usher-advice">
      This server answers whoever shows a token; the schema depends on whose it is. Paste one above: a JWT of an issuer
      in the server&apos;s configuration, or one of usher&apos;s own. Where there is a control store, <code>usher key bootstrap</code>{' '}
      makes the first key and <code>usher token create</code> makes tokens. <code>usher demo</code> has sample data with
      tokens to choose from.
    </p>
  );
}

function Bar({ samples, value, setValue }) {
  return (
    <header className="usher-header">
      <h1>
        usher <span>playground</span>
      </h1>
      {!canKeepDigits && (
        <p role="alert">This browser rounds long numbers. A newer one shows all their digits.</p>
      )}
      {samples.queries.length > 0 && <QueryPicker queries={samples.queries} />}
      <TokenPicker tokens={samples.tokens} value={value} setValue={setValue} />
    </header>
  );
}

// TokenPicker sets the token and has the schema read again: another principal
// may see another one.
function TokenPicker({ tokens, value, setValue }) {
  const { introspect } = useSchemaContext({ nonNull: true });

  function use(next) {
    setValue(next);
    if (next === token.get()) return;
    token.set(next);
    introspect();
  }

  function usePasted(event) {
    event.preventDefault();
    use(value.trim());
  }

  const chosen = tokens.findIndex((sample) => sample.token === value);
  return (
    <form onSubmit={usePasted} onBlur={usePasted}>
      {tokens.length > 0 && (
        <label>
          Ask as
          <select
            id="sample-token"
            value={chosen}
            onChange={(event) => use(tokens[event.target.value]?.token ?? '')}
          >
            <option value={-1}>{value ? 'own token' : 'nobody'}</option>
            {tokens.map((sample, index) => (
              <option key={sample.name} value={index}>
                {tokenLabel(sample)}
              </option>
            ))}
          </select>
        </label>
      )}
      <label>
        Token
        <input
          id="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="paste a token"
          value={value}
          onChange={(event) => setValue(event.target.value)}
        />
      </label>
    </form>
  );
}

function tokenLabel({ name, tenant, strategy }) {
  const place = [tenant, strategy].filter(Boolean).join(' · ');
  return place ? `${name} (${place})` : name;
}

// QueryPicker opens a sample query: in the current tab while that is empty or
// holds a sample, else in a new one, so that nobody's work is lost.
function QueryPicker({ queries }) {
  const { addTab, queryEditor, activeTabIndex } = useEditorContext({ nonNull: true });
  const waiting = useRef(null);

  useEffect(() => {
    if (waiting.current === null || !queryEditor) return;
    queryEditor.setValue(waiting.current);
    waiting.current = null;
  }, [activeTabIndex, queryEditor]);

  function open(index) {
    const text = queries[index].query;
    const current = queryEditor.getValue();
    if (current.trim() === '' || queries.some((sample) => sample.query === current)) {
      queryEditor.setValue(text);
      return;
    }
    waiting.current = text;
    addTab();
  }

  return (
    <label>
      Sample queries
      <select id="sample-query" value="" onChange={(event) => open(event.target.value)}>
        <option value="" disabled>
          open one …
        </option>
        {queries.map((sample, index) => (
          <option key={sample.name} value={index}>
            {sample.name}
          </option>
        ))}
      </select>
    </label>
  );
}
