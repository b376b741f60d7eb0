"""idms.yaml, secrets, YAML with line marks, checked fields."""
