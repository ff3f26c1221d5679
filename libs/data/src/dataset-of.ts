import type { Section } from '@towerbench/config';
import { datasets } from './catalog.js';
import type { CommonParams, DatasetDefinition } from './definition.js';

type DatasetSection = Section & { readonly name: string };

/** The definition that a dataset section names, with the traits that its parameters give it. */
export function datasetOf(section: DatasetSection): DatasetDefinition {
  const definition = datasets.get(section.name as never) as DatasetDefinition;
  return definition.traits === undefined
    ? definition
    : { ...definition, ...definition.traits(paramsOf(section) as never) };
}

/** The parameters of a resolved section. */
export function paramsOf(section: DatasetSection): CommonParams {
  const { params } = datasets.get(section.name as never) as DatasetDefinition;
  return params.parse(
    Object.fromEntries(Object.entries(section).filter(([key]) => key !== 'name')),
  ) as unknown as CommonParams;
}

/** A section without what only says where its rows come from: its fingerprint names what they are. */
export function measuredSection<S extends DatasetSection>(section: S): S {
  const { own } = datasets.get(section.name as never) as DatasetDefinition;
  return own === undefined
    ? section
    : (Object.fromEntries(Object.entries(section).filter(([key]) => !own.keys.includes(key))) as S);
}
