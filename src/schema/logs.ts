import { badInput } from '../errors.ts';
import { checkContainerName, checkName, checkNamespace } from '../kubernetes/names.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { podContainers } from '../kubernetes/pod-containers.ts';
import { PODS } from '../kubernetes/resources.ts';
import { trim } from '../kubernetes/trim.ts';
import type { FeedKey } from '../pubsub/feed-key.ts';
import type { LogBatch, NumberedLine } from '../pubsub/log-view.ts';
import type { LogWish } from '../access/logs.ts';
import type { LogTarget } from '../sources/logs/log-source.ts';
import { builder } from './builder.ts';
import type { Context } from './context.ts';
import { withTimes } from './log-times.ts';
import { agentArgs } from './scope.ts';

export const MAX_TAIL = 10_000;
export const DEFAULT_TAIL = 500;
const MAX_SINCE = 366 * 86_400;

const K8sLogLine = builder.objectRef<NumberedLine>('K8sLogLine').implement({
  description: 'A line that a container has printed.',
  fields: (t) => ({
    number: t.exposeInt('number', {
      description: 'Counts from 1, the first line of the answer or subscription; lines that were skipped count.',
    }),
    content: t.exposeString('content', {
      description: 'The line without its end. What is no UTF-8 in it is replaced by U+FFFD.',
    }),
    timestamp: t.expose('timestamp', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was printed. Null unless `timestamps` were asked for, or when the node does not say.',
    }),
    truncated: t.exposeBoolean('truncated', {
      description: 'True when it was longer than 64 KiB, and `content` is its beginning.',
    }),
  }),
});

const K8sLogBatch = builder.objectRef<LogBatch>('K8sLogBatch').implement({
  description: 'Some lines of a log.',
  fields: (t) => ({
    lines: t.field({
      type: [K8sLogLine],
      description: 'The lines in order, [] when there are none.',
      resolve: ({ lines }) => lines,
    }),
    text: t.string({
      description:
        'The same lines as one text, each with its end: one string instead of an object a line, for large logs.',
      resolve: ({ lines }) => lines.map(({ content }) => `${content}\n`).join(''),
    }),
    skipped: t.exposeInt('skipped', {
      description: 'Lines before these that are left out: they came faster than this client reads, or did not fit.',
    }),
    ended: t.exposeBoolean('ended', {
      description: 'True when nothing more will come: the container has stopped, or this was all that was asked for.',
    }),
    error: t.exposeString('error', {
      nullable: true,
      description: 'What keeps the log from flowing. Unless `ended`, it is tried again. Null when it flows.',
    }),
  }),
});

export const logWishArgs = builder.args((t) => ({
  tailLines: t.int({
    defaultValue: DEFAULT_TAIL,
    description: `Begin with at most this many lines of the past, 0 to ${MAX_TAIL}. Null: ${MAX_TAIL}.`,
  }),
  sinceSeconds: t.int({ description: 'Of the past, only what is younger than this. Omitted or null: any age.' }),
  timestamps: t.boolean({ defaultValue: false, description: 'Whether lines come with the time of printing.' }),
}));

const logArgs = builder.args((t) => ({
  namespace: t.string({ required: true, description: "The pod's namespace." }),
  podName: t.string({ required: true, description: "The pod's name." }),
  containerName: t.string({
    description:
      'Any of its containers: regular, init, sidecar or ephemeral. May be omitted when the pod has one; else BAD_USER_INPUT lists them.',
  }),
  previous: t.boolean({
    defaultValue: false,
    description: 'The run before the current one, of a container that was restarted.',
  }),
}));

interface LogArgs extends WishArgs {
  agentId: string;
  namespace: string;
  podName: string;
  containerName?: string | null | undefined;
}

export interface WishArgs {
  tailLines?: number | null | undefined;
  sinceSeconds?: number | null | undefined;
  previous?: boolean | null | undefined;
  timestamps?: boolean | null | undefined;
}

export function addLogs(): void {
  builder.queryField('k8sLogs', (t) =>
    t.field({
      type: K8sLogBatch,
      description:
        "What a container has printed so far. Needs the right to get `pods/log`, with the caller's own credentials.",
      args: { ...agentArgs, ...logArgs, ...logWishArgs },
      resolve: (_root, args, context) => read(args, context),
    }),
  );

  builder.subscriptionField('k8sLogs', (t) =>
    t.field({
      type: K8sLogBatch,
      description:
        'What a container prints, live, from `tailLines` back; completes after a batch that has `ended`. However many people follow a container, its cluster carries one stream. Each of them needs the right to get `pods/log`; ends with ACCESS_REVOKED when it is lost.',
      args: { ...agentArgs, ...logArgs, ...logWishArgs },
      subscribe: async (_root, args, context) => {
        const wish = checkWish(args);
        const target = await targetOf(args, context);
        return context.gate.logs.follow(context.viewer(), target, wish);
      },
      resolve: (batch, { timestamps }) => withTimes(batch, timestamps === true),
    }),
  );
}

async function read(args: LogArgs, context: Context): Promise<LogBatch> {
  const wish = checkWish(args);
  const target = await targetOf(args, context);
  const { lines, skipped } = await context.gate.logs.read(context.viewer(), target, wish);
  const numbered = lines.map((line, index) => ({ ...line, number: skipped + index + 1 }));
  return withTimes({ lines: numbered, skipped, ended: true, error: undefined }, args.timestamps === true);
}

/** Throws BAD_USER_INPUT. */
export function checkWish({ tailLines, sinceSeconds, previous }: WishArgs): LogWish {
  const tail = tailLines ?? MAX_TAIL;
  if (tail < 0 || tail > MAX_TAIL) throw badInput('tailLines', `a number from 0 to ${MAX_TAIL}`);
  if (sinceSeconds != null && (sinceSeconds < 1 || sinceSeconds > MAX_SINCE)) {
    throw badInput('sinceSeconds', `a number of seconds from 1 to ${MAX_SINCE}`);
  }
  return { tailLines: tail, sinceSeconds: sinceSeconds ?? undefined, previous: previous === true };
}

async function targetOf(args: LogArgs, context: Context): Promise<LogTarget> {
  const { agentId } = args;
  const namespace = checkNamespace(args.namespace);
  const pod = checkName(args.podName, 'podName');
  const container =
    args.containerName == null
      ? await onlyContainer({ agentId, namespace, pod }, context)
      : checkContainerName(args.containerName);
  return { agentId, namespace, pod, container };
}

/** The container meant when none is named, as kubectl has it. Throws BAD_USER_INPUT when it could be several. */
async function onlyContainer(
  { agentId, namespace, pod: name }: Omit<LogTarget, 'container'>,
  context: Context,
): Promise<string> {
  const containers = podContainers(await podNamed({ agentId, namespace, resource: PODS }, name, context));
  const [only] = containers;
  if (only !== undefined && containers.length === 1) return only.name;
  const names = containers.map((each) => `${each.name} (${each.type.toLowerCase()})`).join(', ');
  throw badInput('containerName', `given, because pod "${name}" has several containers: one of ${names}`);
}

/** From the shared watch; and when that does not have it yet, as the cluster has it. Throws NOT_FOUND. */
async function podNamed(
  key: FeedKey & { readonly namespace: string },
  name: string,
  context: Context,
): Promise<KubernetesObject> {
  const viewer = context.viewer();
  const pod = await context.gate.get(viewer, key, name);
  if (pod !== undefined) return pod;
  const whole = await context.gate.actions.look({ viewer, key, name }, (calls) => calls.getWhole(key, name));
  return trim(whole);
}
