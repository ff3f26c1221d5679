export { definition } from './distillation.js';
