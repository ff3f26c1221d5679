export { definition } from './wilcoxon.js';
