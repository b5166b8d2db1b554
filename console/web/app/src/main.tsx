import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { I18nProvider } from 'react-aria-components';
import { enableShadowDOM } from 'react-stately/private/flags/flags';
import './styles/base.css';
import './styles/ui.css';
import './styles/shell.css';
import './styles/pages.css';
import { Failure } from './api';
import { keepFocus } from './focus';
import { tidy } from './query/store';
import { router } from './router';
import { locale } from './texts';
import { theme } from './theme';

theme.apply();
keepFocus();
tidy();
enableShadowDOM(); // what has the focus in a dialog may stand in an element of embed.js

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (times, error) => times < 1 && error instanceof Failure && error.retryable && error.code !== 'UNREACHABLE',
    },
  },
});

createRoot(document.getElementById('console')!).render(
  <StrictMode>
    <I18nProvider locale={locale}>
      <QueryClientProvider client={client}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </I18nProvider>
  </StrictMode>,
);
