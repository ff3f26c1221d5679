export { createCatalog, type Catalog, type Definition, type Reference } from './catalog.js';
