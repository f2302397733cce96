import { ConfigError } from './config.ts';
import type { Config } from './config.ts';
import type { Clock } from './clock.ts';
import type { Counters } from './counters.ts';
import type { Log } from './log.ts';
import type { AgentStreamsOptions } from './sources/agent-streams.ts';
import type { HttpTools } from './sources/apiserver/http.ts';
import { KasSource } from './sources/kas/kas-source.ts';
import type { SourceLoad } from './sources/load.ts';
import { recordSteps } from './sources/reflector/record-steps.ts';
import type { Source } from './sources/source.ts';
import type { Tracer } from './tracing/tracing.ts';

/** A source with what it carries, over all agents. */
export type CountedSource = Source & { readonly totalLoad: SourceLoad };

export interface SourceTools {
  readonly log: Log;
  readonly clock: Clock;
  readonly counters: Counters;
  readonly tracer: Tracer;
}

type SharedOptions = AgentStreamsOptions & HttpTools;

/** The source that the environment asks for. Rejects with ConfigError when there can be none. */
export async function chooseSource(config: Config, tools: SourceTools): Promise<CountedSource> {
  const { log, clock, counters, tracer } = tools;
  const shared: SharedOptions = {
    clock,
    counters,
    tracer,
    onStep: recordSteps(counters, log),
    agentStreamBudget: config.agentStreamBudget,
    onBudgetNearlyUsedUp: (agentId, used, budget) =>
      log.warn({ agentId, used, budget }, 'An agent carries nearly as many streams as it may (AGENT_STREAM_BUDGET).'),
    onDefect: ({ agentId, namespace, resource }, error) => {
      counters.add('defects', { where: 'watch' });
      log.error({ error, agentId, namespace, resource: resource.plural }, 'A watch failed unexpectedly.');
    },
  };
  if (config.kubeconfigSource !== undefined) return openKubeconfig(config.kubeconfigSource, shared, log);
  if (config.kasUrl !== undefined) {
    return new KasSource({ ...shared, url: config.kasUrl, transport: config.watchTransport });
  }
  throw new ConfigError(['KAS_URL must be set.']);
}

async function openKubeconfig(path: string, shared: SharedOptions, log: Log): Promise<CountedSource> {
  // Only now, since the library behind it takes a quarter of a second and 80 MB.
  const { KubeconfigError, KubeconfigSource } = await import('./sources/kubeconfig/kubeconfig-source.ts');
  try {
    const source = await KubeconfigSource.open({ ...shared, path, onProblem: (problem) => log.warn(problem) });
    log.info({ agents: await source.agents() }, 'The contexts of KUBECONFIG_SOURCE are these agents.');
    return source;
  } catch (error) {
    if (!(error instanceof KubeconfigError)) throw error;
    throw new ConfigError([`KUBECONFIG_SOURCE must name a kubeconfig: the file ${error.message}.`]);
  }
}
