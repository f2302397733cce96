import type { Seed } from './seed.ts';
import { ACCESS } from './seeds/access.ts';
import { APISERVER } from './seeds/apiserver.ts';
import { KAS } from './seeds/kas.ts';
import { KUBERNETES } from './seeds/kubernetes.ts';
import { PUBSUB } from './seeds/pubsub.ts';
import { REFLECTOR_SEEDS } from './seeds/reflector.ts';
import { SCHEMA } from './seeds/schema.ts';
import { SHARING } from './seeds/sharing.ts';
import { SIMULATION } from './seeds/simulation.ts';
import { SOURCES } from './seeds/sources.ts';
import { TRANSPORT } from './seeds/transport.ts';

/** All deliberate defects, by the part of the product that they are in. */
export const SEEDS: readonly Seed[] = [
  ...KUBERNETES,
  ...SOURCES,
  ...REFLECTOR_SEEDS,
  ...APISERVER,
  ...KAS,
  ...PUBSUB,
  ...SHARING,
  ...ACCESS,
  ...SCHEMA,
  ...TRANSPORT,
  ...SIMULATION,
];
