import { z } from 'zod';
import { itemRows, queryTable, sharedItemTable } from '../../blocks/item-table.js';
import { featuresRead, mlpTower, towerParams } from '../../blocks/towers.js';
import { defineModel } from '../../contract.js';

const params = z.strictObject({ ...towerParams, sharedItemTable });

/**
 * Candidate generation as classification of the next item: an MLP over the mean of the history and the user's other features on one
 * side, the rows of a table on the other.
 *   u = MLP(concat(mean_t e(h_t), …)),  v_i = row i of the output table,  score = ⟨u, v_i⟩
 *
 * @shape u, v [batch, output_dim]; with `output_dim: null`, the width of the last hidden layer
 * @source Covington, Adams and Sargin 2016, doi:10.1145/2959100.2959190, section 3
 * @deviation The paper does not normalise u and v; `normalize: true` is what public implementations do, `false` is the paper.
 * @deviation The paper's last layer is a ReLU; `output_dim: null` is the paper, the default adds a linear layer.
 * @deviation No example age: features are those of the user, and the moment of an example is not one of them.
 */
export const definition = defineModel({
  name: 'youtube-dnn',
  revision: 1,
  summary: 'An MLP over the mean of the history and the user, against a table of items of its own.',
  reference: {
    title: 'Deep Neural Networks for YouTube Recommendations',
    year: 2016,
    url: 'https://doi.org/10.1145/2959100.2959190',
  },
  params,
  build(inputs) {
    const { params, rng } = inputs;
    const read = { ...inputs, ...featuresRead(inputs) };
    const embeddings = queryTable(read);
    const query = mlpTower({ name: 'query', params, features: read.query, table: embeddings, rng });
    const items = itemRows({ ...read, embeddings, outputDim: query.tower.dim });
    return {
      kind: 'towers',
      retrieval: 'dot',
      query: query.tower,
      candidate: items.tower,
      parameters: query.parameters,
      statistics: query.statistics,
      queryPerExample: query.queryPerExample,
      tables: [...new Set([embeddings, items.table])],
    };
  },
});
