<p>call.js
