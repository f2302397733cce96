import type { Condition } from '../kubernetes/conditions.ts';
import { builder } from './builder.ts';

export const K8sCondition = builder.objectRef<Condition>('K8sCondition').implement({
  description: "One of an object's conditions (status.conditions): what its controller has found out about it.",
  fields: (t) => ({
    type: t.exposeString('type', { description: 'What it is about, such as Ready. Unique in the object.' }),
    status: t.exposeString('status', { description: 'True, False or Unknown.' }),
    reason: t.exposeString('reason', { nullable: true, description: 'One word for programs. Null when absent.' }),
    message: t.exposeString('message', { nullable: true, description: 'For people. Null when absent.' }),
    lastTransitionTime: t.expose('lastTransitionTime', {
      type: 'DateTime',
      nullable: true,
      description: 'When the status last changed. Null when absent.',
    }),
    observedGeneration: t.exposeInt('observedGeneration', {
      nullable: true,
      description: 'The generation of the spec that it is about. Null when absent.',
    }),
  }),
});
