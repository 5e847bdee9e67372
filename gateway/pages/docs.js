<p>docs.js
