export { definition } from './multi-task-ranker.js';
