AREAS = []
