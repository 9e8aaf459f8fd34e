/** The vector store without a server: the suite both ways to search, and what is true of its file only. */
import { describe } from 'vitest'
import { vectorStoreConformance } from '../conformance/vector-store.ts'

describe('embedded, searched by sqlite-vec', () => vectorStoreConformance({ mode: 'embedded', config: () => '' }))
describe('embedded, searched by a plain scan', () =>
  vectorStoreConformance({ mode: 'embedded', config: () => 'extension: false\n' }))
