export { definition } from './catalogue.js';
