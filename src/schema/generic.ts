import type { KubernetesObject } from '../kubernetes/object.ts';
import { builder } from './builder.ts';
import { ANY_KIND, K8sObject } from './objects.ts';

export const K8sGenericObject = builder.objectRef<KubernetesObject>(ANY_KIND);
K8sGenericObject.implement({
  description: 'An object of a kind that has no type of its own here.',
  interfaces: [K8sObject],
  fields: (t) => ({
    content: t.field({
      type: 'JSON',
      description:
        'What it has beside apiVersion, kind, metadata, spec and status, such as the `rules` of a Role; {} when nothing.',
      resolve: ({
        apiVersion: _apiVersion,
        kind: _kind,
        metadata: _metadata,
        spec: _spec,
        status: _status,
        ...content
      }) => content,
    }),
  }),
});
