/** The head of every page: which system, how it is, whether its self-changes are frozen, and the theme. */
import { connection, frozen, health, kernel, services } from '../live/index.ts'
import { Badge, type Tone } from '../parts/badge.tsx'
import { Button } from '../parts/button.tsx'
import { FreezeAction, HOLDS, ThawAction } from '../parts/freeze.tsx'
import { hrefOf } from '../route.ts'
import { setTheme, theme, type Theme } from '../theme.ts'
import { isMenuOpen } from './navigation.tsx'

const TONES: Record<string, Tone> = { ok: 'good', starting: 'busy', degraded: 'warn', stopping: 'warn', unknown: 'bad' }
const NEXT: Record<Theme, Theme> = { system: 'dark', dark: 'light', light: 'system' }

export function Header() {
  const all = services.value
  const live = all?.filter(({ state }) => state === 'live').length ?? 0
  return (
    <header class="header">
      <span class="menu">
        <Button
          kind="quiet"
          label="Navigation"
          expanded={isMenuOpen.value}
          onClick={() => (isMenuOpen.value = !isMenuOpen.value)}
        >
          ☰
        </Button>
      </span>
      <a class="brand" href="#/">
        meta-machine
      </a>
      <span class="dim is-wide">{kernel.value === undefined ? '' : `kernel ${kernel.value.version}`}</span>
      <span class="grow" />
      <span class="header-state" role="status">
        <Badge tone={connection.value.state === 'opening' ? 'busy' : (TONES[health.value] ?? 'warn')}>
          {connection.value.state === 'lost'
            ? 'not reachable'
            : connection.value.state === 'opening'
              ? 'connecting'
              : health.value}
        </Badge>
        {all !== undefined && (
          <span class="dim is-wide">
            {live} of {all.length} live
          </span>
        )}
      </span>
      <Frozen />
      <Button
        kind="quiet"
        label={`Theme: ${theme.value}`}
        title={`Theme: ${theme.value}`}
        onClick={() => setTheme(NEXT[theme.value])}
      >
        {theme.value === 'dark' ? '☾' : theme.value === 'light' ? '☀' : '◐'}
      </Button>
    </header>
  )
}

/** Reached from every page: somebody who wants to stop the system does not look for the page that does. */
function Frozen() {
  if (kernel.value === undefined) return null
  const now = frozen.value
  if (now === 'none')
    return (
      <span class="header-frozen">
        <FreezeAction quiet />
      </span>
    )
  return (
    <span class="header-frozen">
      <a href={hrefOf('kernel')}>
        <Badge tone="warn" title={HOLDS[now]}>
          frozen: {now}
        </Badge>
      </a>
      <ThawAction quiet />
    </span>
  )
}
