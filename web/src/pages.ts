/**
 * The table of pages, in the order of the navigation: each is a chunk of its own, loaded when somebody goes there. A
 * group has a file of its own (`pages/live.ts`, …); a page has a folder, and its `index.tsx` exports it as `default`.
 * No page without a back end.
 */
import type { ComponentType } from 'preact'
import { controlPages } from './pages/control.ts'
import { livePages } from './pages/live.ts'
import { systemPages } from './pages/system.ts'
import { workPages } from './pages/work.ts'
import type { Route } from './route.ts'

export interface PageProps {
  /** where in the page: `route.parts[0]` is what stands behind the page's name, `route.query` its filters */
  route: Route
}

export interface PageInfo {
  /** as in `#/<id>` and `pages/<id>/` */
  id: string
  title: string
  /** where the keyboard goes there: `g` and this letter; each its own */
  key: string
  /** what is written in the navigation beside the title, as `3` approvals that wait; a signal may be read in it */
  count?: () => number
  load: () => Promise<{ default: ComponentType<PageProps> }>
  /** further addresses of it that the tests look at, as `['#/services/http']` */
  examples?: readonly string[]
}

export interface PageGroup {
  title: string
  pages: readonly PageInfo[]
}

export const GROUPS: readonly PageGroup[] = [
  { title: 'Live', pages: livePages },
  { title: 'Control', pages: controlPages },
  { title: 'Work', pages: workPages },
  { title: 'System', pages: systemPages },
]

export const PAGES: readonly PageInfo[] = GROUPS.flatMap(({ pages }) => pages)
