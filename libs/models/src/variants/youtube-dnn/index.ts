export { definition } from './youtube-dnn.js';
