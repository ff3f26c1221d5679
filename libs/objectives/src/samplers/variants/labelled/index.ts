export { definition } from './labelled.js';
