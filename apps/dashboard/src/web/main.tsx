import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { followStore } from './live.js';
import { router } from './router.js';
import { openSession, takeTokenFromAddress } from './session.js';

// The store's events say when an answer is old; the network is this machine's own.
const client = new QueryClient({
  defaultOptions: {
    queries: { staleTime: Infinity, retry: false, networkMode: 'always', refetchOnWindowFocus: false },
  },
});
const token = takeTokenFromAddress();
if (token === null) followStore(client);
else
  void openSession(token).then(
    () => followStore(client),
    () => followStore(client),
  );

const root = document.getElementById('root');
if (root === null) throw new Error('index.html has no element with the id "root"');
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
