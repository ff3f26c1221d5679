import { describe, expect, it } from 'vitest';
import { experimentJsonSchema } from './schema.js';
import { standIn } from './stand-in/vocabulary.js';

interface Schema {
  readonly [key: string]: unknown;
  readonly properties: Readonly<Record<string, Schema>>;
  readonly $defs: Readonly<Record<string, Schema>>;
  readonly allOf: readonly { readonly if: Schema; readonly then: Schema }[];
  readonly items: Schema;
}
const schema = experimentJsonSchema(standIn) as unknown as Schema;

describe('experimentJsonSchema', () => {
  it('has every key of a file, and no other', () => {
    expect(Object.keys(schema.properties)).toEqual(
      'extends name description dataset model objective sampler optimizer training engine variants seeds method parameters metric report published run_cap time_cap search_seed search_lag early_terminate impute warm_start stall_minutes'.split(
        ' ',
      ),
    );
    expect(schema['additionalProperties']).toBe(false);
  });

  it('lets the type choose the keys of a section, in snake_case with descriptions, bounds and defaults', () => {
    const senet = schema.$defs['model']?.allOf.find((option) => option.if.properties['type']?.['const'] === 'senet');
    expect(Object.keys(senet?.then.properties ?? {})).toEqual([
      'type',
      'embedding_dim',
      'hidden_units',
      'output_dim',
      'normalize',
      'reduction',
      'excitation',
    ]);
    expect(senet?.then.properties['embedding_dim']).toMatchObject({
      type: 'integer',
      exclusiveMinimum: 0,
      default: 16,
      description: 'Width of the embedding of a field.',
    });
    expect(schema.$defs['model']?.properties['type']).toMatchObject({ enum: ['dssm', 'senet', 'popularity'] });
  });

  it('writes nested keys and defaults as the file does', () => {
    const movies = schema.$defs['dataset']?.allOf.find(
      (option) => option.if.properties['name']?.['const'] === 'world/movies',
    );
    expect(movies?.then.properties['split']).toMatchObject({
      default: { protocol: 'leave-one-out', validation: 'second-last' },
    });
    expect(JSON.stringify(schema)).toContain('"valid_fraction"');
    expect(JSON.stringify(schema)).toContain('"default":{"min_rows":2}');
    expect(JSON.stringify(schema)).not.toMatch(/validFraction|minRows|batchSize|learningRate/);
  });

  it('names every metric for the report, and the validation metrics for the choice', () => {
    const { metric, report, published } = schema.properties;
    expect(metric?.properties['name']?.['enum']).toEqual(standIn.metrics.filter((name) => name.startsWith('valid/')));
    expect([report?.items, published?.items.properties['metric']]).toMatchObject([
      { $ref: '#/$defs/metric' },
      { $ref: '#/$defs/metric' },
    ]);
    expect(schema.$defs['metric']?.['enum']).toEqual(standIn.metrics);
  });

  it('is JSON, and asks for a metric where nothing is extended', () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
    expect(schema['then']).toEqual({ required: ['dataset', 'model', 'objective', 'metric'] });
  });
});
