import { useState } from 'react';
import type { PageConfig } from './config.ts';
import { Icon, ICONS, Logo } from './small-parts.tsx';
import type { Selection } from './selection.ts';
import { useTheme } from './theme.ts';
import type { ReactNode } from 'react';

const OTHER = '\u0000other';

export function TopBar({
  config,
  selection,
  select,
  namespaces,
  token,
  setToken,
  children,
}: {
  readonly config: PageConfig;
  readonly selection: Selection;
  readonly select: (change: Partial<Selection>) => void;
  /** Undefined when this viewer may not list them. */
  readonly namespaces: readonly string[] | undefined;
  readonly token: string;
  readonly setToken: (token: string) => void;
  readonly children: ReactNode;
}) {
  const [theme, toggleTheme] = useTheme();
  const agents = config.agents.map(({ id, name }) => ({ value: id, text: `${id} · ${name}` }));
  const listed = (namespaces ?? []).map((name) => ({ value: name, text: name }));
  return (
    <header className="top-bar">
      <h1>
        <Logo /> Kascade
      </h1>
      <Choice
        label="Agent"
        value={selection.agentId}
        choices={agents}
        onChoose={(agentId) => select({ agentId, namespace: '' })}
      />
      <Choice
        label="Namespace"
        value={selection.namespace}
        choices={namespaces ? [{ value: '', text: 'all namespaces' }, ...listed] : []}
        placeholder="all namespaces"
        onChoose={(namespace) => select({ namespace })}
      />
      <Viewer viewers={config.viewers} token={token} setToken={setToken} />
      <span className="spacer" />
      {children}
      <button
        type="button"
        className="quiet"
        aria-label={theme === 'dark' ? 'Use the light theme' : 'Use the dark theme'}
        onClick={toggleTheme}
      >
        <Icon path={theme === 'dark' ? ICONS.sun : ICONS.moon} />
      </button>
    </header>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly choices: readonly { readonly value: string; readonly text: string }[];
  readonly placeholder?: string;
  readonly secret?: boolean;
  readonly onChoose: (value: string) => void;
}

/** A list to choose from, or a field to type into where there is no list. */
function Choice({ label, value, choices, placeholder, secret = false, onChoose }: ChoiceProps) {
  const isListed = choices.some((choice) => choice.value === value);
  return (
    <label className="choice">
      <span>{label}</span>
      {choices.length > 0 ? (
        <select value={value} onChange={({ target }) => onChoose(target.value)}>
          {!isListed && <option value={value}>{value}</option>}
          {choices.map((choice) => (
            <option key={choice.value} value={choice.value}>
              {choice.text}
            </option>
          ))}
        </select>
      ) : (
        <input
          key={value}
          type={secret ? 'password' : 'text'}
          autoComplete="off"
          spellCheck={false}
          defaultValue={value}
          placeholder={placeholder}
          onBlur={({ target }) => target.value !== value && onChoose(target.value.trim())}
          onKeyDown={({ key, currentTarget }) => key === 'Enter' && onChoose(currentTarget.value.trim())}
        />
      )}
    </label>
  );
}

function Viewer({
  viewers,
  token,
  setToken,
}: {
  readonly viewers: PageConfig['viewers'];
  readonly token: string;
  readonly setToken: (token: string) => void;
}) {
  const known = viewers.some((viewer) => viewer.token === token);
  const [typing, setTyping] = useState(!known);
  const choices = [
    ...viewers.map(({ name, token: value }) => ({ value, text: name })),
    { value: OTHER, text: 'a token …' },
  ];
  const choose = (value: string) => {
    setTyping(value === OTHER);
    setToken(value === OTHER ? '' : value);
  };
  return (
    <>
      {viewers.length > 0 && <Choice label="As" value={typing ? OTHER : token} choices={choices} onChoose={choose} />}
      {(typing || viewers.length === 0) && (
        <Choice label="Token" value={token} choices={[]} placeholder="GitLab token" secret onChoose={setToken} />
      )}
    </>
  );
}
