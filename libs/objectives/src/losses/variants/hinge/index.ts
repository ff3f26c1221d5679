export { definition } from './hinge.js';
