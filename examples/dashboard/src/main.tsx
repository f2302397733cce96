import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import { loadConfig } from './config.ts';

const root = document.querySelector('#root');
if (root) createRoot(root).render(<App config={await loadConfig()} />);
