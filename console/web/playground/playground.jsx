import { GraphiQLProvider } from '@graphiql/react';
import { GraphiQL, GraphiQLInterface } from 'graphiql';
import { createRoot } from 'react-dom/client';
import '@graphiql/react/dist/style.css';
import 'graphiql/src/style.css';
import './playground.css';
import { fetcher, loadSamples } from './fetcher.js';
import { Header } from './header.jsx';
import { token } from './token.js';

function Playground({ samples }) {
  return (
    <GraphiQLProvider
      fetcher={fetcher}
      defaultQuery=""
      defaultTabs={[{ query: samples.queries[0]?.query ?? '' }]}
      inputValueDeprecation
      schemaDescription
      shouldPersistHeaders={false}
    >
      <Header samples={samples} />
      <main>
        <GraphiQLInterface
          forcedTheme="system"
          isHeadersEditorEnabled={false}
          showPersistHeadersSettings={false}
        >
          <GraphiQL.Logo>
            <span />
          </GraphiQL.Logo>
        </GraphiQLInterface>
      </main>
    </GraphiQLProvider>
  );
}

loadSamples().then((samples) => {
  if (!token.get() && samples.tokens.length) token.set(samples.tokens[0].token);
  createRoot(document.getElementById('playground')).render(<Playground samples={samples} />);
});
