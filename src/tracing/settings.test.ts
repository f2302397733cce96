import { describe, expect, it } from 'vitest';
import { readTracing, TRACING_DEFAULTS } from './settings.ts';

const read = (env: Record<string, string> = {}) => readTracing({ ...TRACING_DEFAULTS, ...env });

describe('where spans go', () => {
  it('is nowhere unless something is asked for', () => {
    expect(read()).toEqual({ settings: undefined, problems: [] });
    const endpoint = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };
    expect(read({ ...endpoint, OTEL_SDK_DISABLED: 'true' }).settings).toBeUndefined();
    expect(read({ ...endpoint, OTEL_TRACES_EXPORTER: 'none' }).settings).toBeUndefined();
    // Nothing is to be exported, so nobody minds how.
    expect(read({ OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' })).toEqual({ settings: undefined, problems: [] });
  });

  it.each([
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' }, 'http://collector:4318/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector/otlp/' }, 'https://collector/otlp/v1/traces'],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector/x' }, 'http://collector/x'],
    [{ OTEL_TRACES_EXPORTER: 'otlp' }, 'http://localhost:4318/v1/traces'],
  ])('%o is %s', (env, url) => {
    expect(read(env as Record<string, string>).settings).toEqual({
      url,
      serviceName: 'kascade',
      sampler: 'parentbased_always_on',
      ratio: 1,
    });
  });

  it.each([
    ['OTEL_TRACES_EXPORTER', 'console'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'http://user:canary@collector'],
    ['OTEL_TRACES_SAMPLER', 'xray'],
    ['OTEL_TRACES_SAMPLER_ARG', '2'],
    ['OTEL_TRACES_SAMPLER_ARG', 'some'],
  ])('%s=%s cannot be, and the sentence says so without the value', (name, value) => {
    const { settings, problems } = read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318', [name]: value });
    expect(settings).toBeUndefined();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} must be `));
    expect(problems[0]).not.toContain(value);
  });
});
