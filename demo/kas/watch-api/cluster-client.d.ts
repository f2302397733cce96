/** The part of GitLab's own client that the test uses. The package brings no declarations. */
declare module '@gitlab/cluster-client' {
  export interface ClusterObject {
    readonly metadata: { readonly name: string; readonly uid: string };
  }

  export class Configuration {
    readonly basePath: string;
    constructor(options: {
      basePath: string;
      headers: Record<string, string>;
      fetchApi: (url: string, init?: object) => Promise<object>;
    });
  }

  export class CoreV1Api {
    constructor(configuration: Configuration);
    listCoreV1NamespacedPod(request: { namespace: string }): Promise<{ items: ClusterObject[] }>;
  }

  export class WatchApi {
    constructor(configuration: Configuration);
    subscribeToStream(path: string, query: Record<string, unknown>): Promise<this>;
    on(event: 'data', listener: (objects: ClusterObject[]) => void): void;
    on(event: 'error', listener: (error: { message: string }) => void): void;
    abortStream(): void;
  }

  export class WebSocketWatchManager {
    readonly websocket: { close(): void } | null;
    constructor(configuration: Configuration);
    initConnection(options: {
      message: { watchId: string; watchParams: Record<string, unknown> };
    }): Promise<WebSocketWatchManager>;
    on(event: 'data', watchId: string, listener: (objects: ClusterObject[]) => void): void;
    on(event: 'error', watchId: string, listener: (error: { message?: string; eventType?: string }) => void): void;
  }
}
