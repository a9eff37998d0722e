// The theme, set before the first paint. A classic script, so that nothing flashes.
(function () {
  const key = 'mcpproxy-theme';
  const root = document.documentElement;
  let chosen = null;
  try { chosen = localStorage.getItem(key); } catch { /* no storage: follow the system */ }
  if (chosen === 'dark' || chosen === 'light') root.dataset.theme = chosen;
})();
