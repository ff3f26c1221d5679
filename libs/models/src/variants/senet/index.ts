export { definition } from './senet.js';
