// The mark: rows that are led to their seats.
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" fill="currentColor" aria-hidden>
      <rect x="2" y="3" width="9" height="4" rx="2" />
      <rect x="13" y="3" width="9" height="4" rx="2" opacity="0.35" />
      <rect x="2" y="10" width="9" height="4" rx="2" opacity="0.35" />
      <rect x="13" y="10" width="9" height="4" rx="2" />
      <rect x="2" y="17" width="9" height="4" rx="2" />
      <rect x="13" y="17" width="9" height="4" rx="2" opacity="0.35" />
    </svg>
  );
}
