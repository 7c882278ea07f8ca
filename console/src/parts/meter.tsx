/** How much of a limit is used. */
export const Meter = ({ share }: { share: number }) => (
  <div class="meter">
    <i class={share >= 1 ? 'full' : ''} style={{ width: `${Math.min(100, Math.max(0, 100 * share))}%` }} />
  </div>
);
