import type { ReactNode } from 'react';
import { duration } from './duration.ts';
import { useNow } from './now.ts';
import type { Tone } from './tone.ts';

export function Pill({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return (
    <span className="pill" data-tone={tone}>
      <i aria-hidden="true" />
      {children}
    </span>
  );
}

/** How long ago; it counts by itself. */
export function Age({ since }: { readonly since: string | null | undefined }) {
  const text = useNow((now) => (since ? duration(now - Date.parse(since)) : '–'));
  return <time {...(since && { dateTime: since, title: new Date(since).toLocaleString() })}>{text}</time>;
}

export function Countdown({ until }: { readonly until: number }) {
  return <>{useNow((now) => (until <= now ? 'now' : `in ${Math.ceil((until - now) / 1_000)} s`))}</>;
}

export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M16 6v19M16 10c0 5-8 4-8 9v6M16 10c0 5 8 4 8 9v6" />
    </svg>
  );
}

export function Icon({ path }: { readonly path: string }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}

export const ICONS = {
  close: 'M4 4l8 8M12 4l-8 8',
  retry: 'M13 8a5 5 0 1 1-1.6-3.7M13 2v3h-3',
  trash: 'M3 4h10M6 4V2.5h4V4M4.5 4l.6 9.5h5.8l.6-9.5M7 7v4M9 7v4',
  sun: 'M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2M11.8 11.8L13 13M3 13l1.2-1.2M11.8 4.2L13 3M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  moon: 'M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3z',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4L14 14',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3.2l7 4.8-7 4.8z',
} as const;
