/** The head of every page: which system, how it is, whether its self-changes are frozen, and the theme. */
import { connection, frozen, health, kernel, services } from '../live/index.ts'
import { Badge, type Tone } from '../parts/badge.tsx'
import { Button } from '../parts/button.tsx'
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
      {frozen.value !== 'none' && (
        <Badge tone="warn" title={frozen.value === 'all' ? 'Nothing changes' : 'The system does not change itself'}>
          frozen: {frozen.value}
        </Badge>
      )}
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
