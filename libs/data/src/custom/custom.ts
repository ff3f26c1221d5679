import { defineDataset, type OwnTables } from '../definition.js';
import { unpackTexts } from '../texts.js';
import { customParams, type CustomParams } from './params.js';
import { inputFiles } from './inputs.js';
import { readCustom, type CustomTables } from './read.js';

const own: OwnTables<CustomParams> = {
  keys: ['interactions', 'users', 'items', 'exposures', 'ids', 'timeRange', 'duplicates', 'kCore'],
  inputs: inputFiles,
  read: readCustom,
  content: (tables) => {
    const { userIds, itemIds, itemTitles, ...content } = tables as CustomTables;
    return {
      ...content,
      userIds: unpackTexts(userIds),
      itemIds: unpackTexts(itemIds),
      itemTitles: itemTitles && unpackTexts(itemTitles),
    };
  },
};

/** Data of your own: CSV, Parquet or JSON files, or a query over them. */
export const custom = defineDataset({
  name: 'custom',
  revision: 1,
  summary: 'Your own files: CSV, TSV, Parquet or JSON, plain or compressed, or a query of DuckDB over them.',
  task: 'ranking',
  hasTruth: false,
  params: customParams,
  facts: { license: 'Yours.', address: null, downloads: [], files: {}, counts: null },
  traits: ({ task, positive, interactions, exposures, items }) => ({
    task,
    labelled: exposures !== undefined || (interactions.columns.label !== undefined && positive === null),
    ...(items?.category === undefined ? {} : { category: items.category }),
  }),
  own,
  load: () => {
    throw new Error('custom: the tables are read before they are loaded');
  },
});
