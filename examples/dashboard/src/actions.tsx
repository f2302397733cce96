import { createContext, useContext, useMemo, useRef, useState, type ReactNode } from 'react';
import { toKascadeError } from '../../../client/index.ts';
import type { Api } from './api.ts';

/** Something a person does to the cluster. What comes of it is said at the bottom of the page. */
export interface Actions {
  /** Resolves to whether it worked. */
  readonly run: (done: string, action: (api: Api, agentId: string) => Promise<unknown>) => Promise<boolean>;
}

interface Toast {
  readonly id: number;
  readonly tone: 'good' | 'bad';
  readonly text: string;
}

const SHOWN_MS = 6_000;
const ActionsContext = createContext<Actions>({ run: () => Promise.resolve(false) });

export function useActions(): Actions {
  return useContext(ActionsContext);
}

export function ActionsProvider({
  api,
  agentId,
  children,
}: {
  readonly api: Api;
  readonly agentId: string;
  readonly children: ReactNode;
}) {
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const count = useRef(0);
  const actions = useMemo<Actions>(() => {
    const say = (tone: Toast['tone'], text: string) => {
      count.current += 1;
      const id = count.current;
      setToasts((before) => [...before.slice(-2), { id, tone, text }]);
      setTimeout(() => setToasts((before) => before.filter((toast) => toast.id !== id)), SHOWN_MS);
    };
    return {
      run: async (done, action) => {
        try {
          await action(api, agentId);
          say('good', done);
          return true;
        } catch (error) {
          const { message, remedy } = toKascadeError(error);
          say('bad', remedy === undefined ? message : `${message} ${remedy}`);
          return false;
        }
      },
    };
  }, [api, agentId]);
  return (
    <ActionsContext value={actions}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map(({ id, tone, text }) => (
          <p key={id} data-tone={tone}>
            {text}
          </p>
        ))}
      </div>
    </ActionsContext>
  );
}
